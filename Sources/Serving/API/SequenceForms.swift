import Synchronization

/// The forms of the requests that came last, by how they were written: to understand a request takes longer than to answer
/// many a one.
final class SequenceForms: Sendable {
  private struct Key: Hashable {
    var sequence: String
    /// What the query says but for times.
    var text: String
    var access: Access
  }

  private let forms = Mutex<[Key: SequenceForm]>([:])

  /// Texts of more bytes are not kept.
  private static let maximumTextLength = 1 << 10
  private static let countLimit = 512

  /// - Parameter make: what understands a form that is not known.
  func form(
    of sequence: String, _ query: HTTPQuery, for access: Access, make: () throws(RequestError) -> SequenceForm
  ) throws(RequestError) -> SequenceForm {
    let text = query.text(without: SequenceQuery.timeParameters)
    let key = Key(sequence: sequence, text: text, access: access)
    if let known = forms.withLock({ $0[key] }) { return known }
    let made = try make()
    guard text.utf8.count + sequence.utf8.count <= Self.maximumTextLength else { return made }
    forms.withLock { forms in
      // Who asks for something else each time finds nothing here either way.
      if forms.count == Self.countLimit { forms.removeAll(keepingCapacity: true) }
      forms[key] = made
    }
    return made
  }
}
