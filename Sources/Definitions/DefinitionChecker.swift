import JSONText

extension DefinitionSet {
  /// Parses the compiled form and checks all of it anew, expressions included, as `compile` would.
  ///
  /// - Parameter file: named in the errors.
  /// - Throws: all that is wrong; where the text has another shape, what is wrong with that.
  package init(checking text: String, file: String? = nil) throws(DefinitionErrors) {
    let parsed = try DefinitionSet(parsing: text, file: file, isDigestChecked: false)
    let declarations = Declarations(of: parsed, file: file)
    let place = DefinitionError.Place(file: file)
    if parsed.digest != parsed.computedDigest {
      let reason = DefinitionError.Reason.digestDiffers(found: parsed.digest, expected: parsed.computedDigest)
      declarations.faults.add(reason, at: place.at("digest"))
    }
    var compiler = DefinitionCompiler(declarations)
    let compiled = try compiler.compile()
    if let what = Self.difference(parsed, compiled) {
      throw DefinitionErrors([DefinitionError(place: place, reason: .stale(what))])
    }
    self = parsed
  }

  /// The first part in which compiled definitions differ from what their own content compiles to.
  private static func difference(_ parsed: DefinitionSet, _ compiled: DefinitionSet) -> String? {
    if parsed.datasets != compiled.datasets { return "datasets" }
    if parsed.eventTypes != compiled.eventTypes { return "event_types" }
    return parsed.sequences != compiled.sequences ? "sequences" : nil
  }
}
