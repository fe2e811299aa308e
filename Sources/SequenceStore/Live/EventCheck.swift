import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine
import Frames

/// Finds out whether events fit the tables of their dataset, before they are taken on trust.
///
/// What passes here can be rolled into the tables later; what could not is refused while its sender still waits.
struct EventCheck: Sendable {
  private let definitions: DefinitionSet
  private let layouts: [String: TableLayout]

  init(_ store: StoreDirectory, _ definitions: DefinitionSet) throws(StoreError) {
    self.definitions = definitions
    var layouts: [String: TableLayout] = [:]
    for dataset in definitions.datasets {
      let derived = try store.derivedColumns(of: dataset.name, definitions)
      layouts[dataset.name] = try TableLayout(dataset, deriving: derived)
    }
    self.layouts = layouts
  }

  /// - Throws: what is wrong with a data frame's rows.
  func check(_ frame: Frame) throws(StoreError) {
    guard case .data(let schema, let batches) = frame else { return }
    let dataset = try definitions.dataset(of: schema)
    guard let layout = layouts[dataset] else {
      throw .noSuchDataset(dataset, known: definitions.datasets.map(\.name))
    }
    for batch in batches where batch.rowCount > 0 {
      try layout.checkSystemColumns(batch)
      // Of a retraction the tables keep the system columns alone.
      let isThere = batch[SystemColumns.retracted]?.bits.inverted()
      let events = isThere.map { $0.setBitCount == batch.rowCount ? batch : batch.filter($0) } ?? batch
      _ = try layout.fileBatch(try layout.eventBatch(events))
    }
  }
}
