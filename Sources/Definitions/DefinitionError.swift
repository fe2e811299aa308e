/// One thing that is wrong with the definitions: where, what, and what to do about it.
package struct DefinitionError: Error, Sendable, Hashable {
  package var place: Place
  package var reason: Reason

  /// Where a fault is, from the outside in; what does not apply is nil.
  package struct Place: Sendable, Hashable {
    /// The file that declares it, and the line of the declaration, from 1.
    package var file: String?
    package var line: Int?
    /// Such as `event type 'pin_save'`.
    package var definition: String?
    /// Such as `columns.item_id`.
    package var field: String?
    /// The character of the expression, from 1.
    package var character: Int?

    package init(
      file: String? = nil, line: Int? = nil, definition: String? = nil, field: String? = nil, character: Int? = nil
    ) {
      self.file = file
      self.line = line
      self.definition = definition
      self.field = field
      self.character = character
    }

    /// The same place, at a member of its field.
    func at(_ member: String) -> Place {
      var place = self
      place.field = field.map { member.hasPrefix("[") ? $0 + member : "\($0).\(member)" } ?? member
      return place
    }
  }
}

extension DefinitionError: CustomStringConvertible {
  /// `definitions.py:12: event type 'pin_save': where: character 9: what is wrong; what to do`
  package var description: String {
    let parts = [place.definition, place.field, place.character.map { "character \($0)" }, reason.description]
    return ([place.file.map { file in place.line.map { "\(file):\($0)" } ?? file }] + parts)
      .compactMap { $0 }.joined(separator: ": ")
  }
}

/// All that is wrong with the definitions, in the order of the text.
package struct DefinitionErrors: Error, Sendable, Hashable, CustomStringConvertible {
  package var errors: [DefinitionError]

  package init(_ errors: [DefinitionError]) { self.errors = errors }

  /// A line an error.
  package var description: String { errors.map(\.description).joined(separator: "\n") }
}
