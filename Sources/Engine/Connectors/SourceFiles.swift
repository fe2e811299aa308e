import Definitions
import DeltaLog
import Glibc

/// Finds the files of a source's days.
package struct SourceFiles {
  private let source: SourceDefinition
  private let root: String

  /// - Parameter root: the directory that the source's path begins in.
  package init(_ source: SourceDefinition, root: String) {
    self.source = source
    self.root = root
  }

  /// The files of the days, in the order of days and then of names.
  ///
  /// - Parameter days: `2026-11-20`, or `2026-11-20..2026-11-22` with both ends.
  /// - Throws: `SourceFilesError` when the text names no days, or a day has no file.
  package func paths(days text: String) throws(SourceFilesError) -> [String] {
    let ends = text.contains("..") ? text.split(separator: ".").map(String.init) : [text, text]
    guard ends.count == 2, let first = CalendarText.days(ends[0]), let last = CalendarText.days(ends[1]), first <= last
    else {
      throw SourceFilesError(reason: "'\(text)' is no day or range of days; write 2026-11-20 or 2026-11-20..2026-11-22")
    }
    guard source.path.contains("{date}") else {
      throw SourceFilesError(
        reason: "source '\(source.name)': its path '\(source.path)' has no {date}; name the files instead")
    }
    var paths: [String] = []
    for day in first...last {
      let pattern = root + "/" + source.path.replacing("{date}", with: CalendarText.date(day))
      let found = Self.glob(pattern)
      if found.isEmpty {
        throw SourceFilesError(reason: "\(pattern): there is no such file; check --root and the source's path")
      }
      paths += found
    }
    return paths
  }

  static func glob(_ pattern: String) -> [String] {
    var matches = unsafe glob_t()
    defer { unsafe globfree(&matches) }
    guard unsafe Glibc.glob(pattern, 0, nil, &matches) == 0 else { return [] }
    let count = unsafe Int(matches.gl_pathc)
    return (0..<count).map { unsafe String(cString: matches.gl_pathv[$0]!) }
  }
}

/// A source's files cannot be found.
package struct SourceFilesError: Error, CustomStringConvertible {
  package var reason: String

  package var description: String { reason }
}
