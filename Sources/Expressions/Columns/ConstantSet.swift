/// The constants of `value in [constants]`, as the kernels look them up.
struct ConstantSet: Sendable {
  let elements: [CELValue]

  init(_ elements: [CELValue]) { self.elements = elements }

  func contains(_ value: CELValue) -> Bool { elements.contains { $0.equals(value) } }
}
