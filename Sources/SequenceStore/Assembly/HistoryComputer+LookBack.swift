import Definitions
import Expressions

/// What a derived column must see before an event for its value not to change by seeing more.
enum LookBack {
  /// All events of so many microseconds before.
  case time(Int64)
  /// All events that there are.
  case everything
  /// Events up to a pause longer than so many microseconds.
  case pause(Int64)
  /// An event for which the expression is true; nil: any.
  case event(CheckedExpression?)
}

extension HistoryComputer {
  var lookBack: LookBack {
    switch column.computation {
    case .counter(_, _, _, let window?): .time(window)
    case .counter: .everything
    case .session(let gap): .pause(gap)
    case .gap: .event(filter)
    }
  }
}
