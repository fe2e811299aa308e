import Engine

extension [String: IndexCounts] {
  /// Tells what a run did that replaced days, by dataset.
  package func write(to text: inout PrometheusText) {
    text.add(
      "seqline_index_rows_written_total", .counter, "Rows written to the tables.", by: "dataset", mapValues(\.rows))
    text.add(
      "seqline_index_rows_replaced_total", .counter, "Rows of the days that were replaced.", by: "dataset",
      mapValues(\.rowsReplaced))
    text.add(
      "seqline_index_rows_carried_over_total", .counter, "Rows kept, as they arrived after the input's horizon.",
      by: "dataset", mapValues(\.rowsCarriedOver))
    text.add(
      "seqline_index_drift_events", .gauge, "Events by how they differ from what the days held before.",
      sorted { $0.key < $1.key }.flatMap { $1.drift?.samples(dataset: $0) ?? [] })
  }
}

extension ReplacementDrift {
  fileprivate func samples(dataset: String) -> [(labels: PrometheusText.Labels, value: Int)] {
    types.sorted { $0.key < $1.key }.flatMap { type, counts in
      [("dropped", counts.dropped), ("added", counts.added), ("changed", counts.changed)].map {
        (change: String, count: Int) -> (labels: PrometheusText.Labels, value: Int) in
        ([("dataset", dataset), ("event_type", type), ("change", change)], count)
      }
    }
  }
}
