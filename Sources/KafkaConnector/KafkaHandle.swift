import CRdKafka
import Glibc

/// A consumer of librdkafka's, which closes with it.
///
/// librdkafka may be called from any thread; its callbacks come within `poll`.
@safe final class KafkaHandle: Sendable {
  // SAFETY: librdkafka's functions are safe to call from several threads; this object alone owns the consumer.
  nonisolated(unsafe) private let handle: OpaquePointer
  let settings: KafkaSettings
  /// Kept alive for librdkafka.
  private let callbacks: KafkaCallbacks

  /// - Throws: for a setting that librdkafka refuses.
  init(_ settings: KafkaSettings, callbacks: KafkaCallbacks) throws(KafkaError) {
    self.settings = settings
    self.callbacks = callbacks
    let configuration = unsafe rd_kafka_conf_new()!
    do throws(KafkaError) {
      for (name, value) in Self.defaults(settings) + settings.options {
        try unsafe Self.set(name, value, configuration)
      }
    } catch {
      unsafe rd_kafka_conf_destroy(configuration)
      throw error
    }
    if !settings.options.contains(where: { $0.name == "debug" }) { unsafe rd_kafka_conf_set_log_cb(configuration, nil) }
    unsafe callbacks.install(configuration)
    var message = [CChar](repeating: 0, count: 512)
    guard let handle = unsafe rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &message, message.count) else {
      unsafe rd_kafka_conf_destroy(configuration)
      throw KafkaError("kafka", Self.text(message), remedy: "correct the --kafka-option flags")
    }
    unsafe self.handle = unsafe handle
    unsafe rd_kafka_poll_set_consumer(handle)
  }

  deinit {
    callbacks.close()
    unsafe rd_kafka_consumer_close(handle)
    unsafe rd_kafka_destroy(handle)
  }

  /// What is set unless the options say otherwise.
  private static func defaults(_ settings: KafkaSettings) -> [(name: String, value: String)] {
    let commits = settings.group != nil && !settings.resumes
    return [
      ("bootstrap.servers", settings.brokers), ("client.id", "seq-ingest"),
      // A consumer without a group of its own needs a name all the same; nothing is committed under it.
      ("group.id", settings.group ?? "seq-ingest-\(getpid())"),
      ("enable.auto.commit", commits ? "true" : "false"), ("auto.commit.interval.ms", "250"),
      ("enable.auto.offset.store", "false"), ("auto.offset.reset", "earliest"), ("enable.partition.eof", "true"),
      ("fetch.wait.max.ms", "100"), ("allow.auto.create.topics", "false"),
      (KafkaSettings.refreshOption, "\(Int(KafkaSettings.defaultRefreshMillis))"),
    ]
  }

  private static func set(_ name: String, _ value: String, _ configuration: OpaquePointer) throws(KafkaError) {
    var message = [CChar](repeating: 0, count: 512)
    guard unsafe rd_kafka_conf_set(configuration, name, value, &message, message.count) != RD_KAFKA_CONF_OK else {
      return
    }
    throw KafkaError("--kafka-option \(name)=\(value)", text(message))
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: Partitions

  private func check(_ code: rd_kafka_resp_err_t, _ place: String) throws(KafkaError) {
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, place) }
  }

  private var topicPlace: String { "\(settings.brokers): topic '\(settings.topic)'" }

  func subscribe() throws(KafkaError) {
    let list = PartitionList([:], topic: settings.topic, subscribes: true)
    try check(unsafe rd_kafka_subscribe(handle, list.list), topicPlace)
  }

  /// The topic's partitions.
  func partitions(milliseconds: Int32) throws(KafkaError) -> [Int32] {
    let topic = unsafe rd_kafka_topic_new(handle, settings.topic, nil)
    defer { unsafe rd_kafka_topic_destroy(topic) }
    var metadata: UnsafePointer<rd_kafka_metadata>?
    try check(unsafe rd_kafka_metadata(handle, 0, topic, &metadata, milliseconds), topicPlace)
    defer { unsafe rd_kafka_metadata_destroy(metadata) }
    guard let found = unsafe metadata?.pointee, unsafe found.topic_cnt == 1 else { return [] }
    let first = unsafe found.topics[0]
    try check(unsafe first.err, topicPlace)
    return unsafe (0..<Int(first.partition_cnt)).map { unsafe first.partitions[$0].id }.sorted()
  }

  /// The first offset that the broker has, and the one after its last.
  func bounds(_ partition: Int32) throws(KafkaError) -> Range<Int64> {
    var (low, high) = (Int64(0), Int64(0))
    let code = unsafe rd_kafka_query_watermark_offsets(handle, settings.topic, partition, &low, &high, 30_000)
    try check(code, "\(topicPlace), partition \(partition)")
    return low..<max(low, high)
  }

  /// The first offset of each partition whose message is of the time or later; nil where there is none.
  func offsets(atMillis millis: Int64, _ partitions: [Int32]) throws(KafkaError) -> [Int32: Int64?] {
    let list = PartitionList(Dictionary(uniqueKeysWithValues: partitions.map { ($0, millis) }), topic: settings.topic)
    try check(unsafe rd_kafka_offsets_for_times(handle, list.list, 30_000), topicPlace)
    return list.offsets.mapValues { $0 < 0 ? nil : $0 }
  }

  /// Begins with partitions, beside those at hand if the group's members change one by one.
  func assign(_ offsets: [Int32: Int64]) throws(KafkaError) {
    let list = PartitionList(offsets, topic: settings.topic)
    if isCooperative {
      try check(unsafe Self.code(rd_kafka_incremental_assign(handle, list.list)), topicPlace)
    } else {
      try check(unsafe rd_kafka_assign(handle, list.list), topicPlace)
    }
  }

  /// Ends with partitions.
  func unassign(_ partitions: [Int32]) throws(KafkaError) {
    if isCooperative {
      let list = PartitionList(partitions, topic: settings.topic)
      try check(unsafe Self.code(rd_kafka_incremental_unassign(handle, list.list)), topicPlace)
    } else {
      try check(unsafe rd_kafka_assign(handle, nil), topicPlace)
    }
  }

  private var isCooperative: Bool {
    guard settings.group != nil, let name = unsafe rd_kafka_rebalance_protocol(handle) else { return false }
    return unsafe strcmp(name, "COOPERATIVE") == 0
  }

  private static func code(_ error: OpaquePointer?) -> rd_kafka_resp_err_t {
    guard let error = unsafe error else { return RD_KAFKA_RESP_ERR_NO_ERROR }
    defer { unsafe rd_kafka_error_destroy(error) }
    return unsafe rd_kafka_error_code(error)
  }

  /// Fetches no more of a partition.
  func pause(_ partition: Int32) {
    let list = PartitionList([partition], topic: settings.topic)
    _ = unsafe rd_kafka_pause_partitions(handle, list.list)
  }

  // MARK: Offsets

  /// Notes an offset to commit soon; without effect on a partition that is no longer ours.
  func store(_ offset: Int64, _ partition: Int32) {
    let list = PartitionList([partition: offset], topic: settings.topic)
    _ = unsafe rd_kafka_offsets_store(handle, list.list)
  }

  /// Commits what was noted, and waits for it; an error is another's matter: the messages come again.
  func commit() { _ = unsafe rd_kafka_commit(handle, nil, 0) }

  // MARK: Messages

  /// Waits for a message, or a callback.
  func poll(milliseconds: Int32) -> KafkaMessage? {
    unsafe rd_kafka_consumer_poll(handle, milliseconds).map { unsafe KafkaMessage($0) }
  }
}

/// A list of the topic's partitions and offsets.
@safe final class PartitionList {
  // SAFETY: this object alone owns the list.
  let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(_ offsets: [Int32: Int64], topic: String, subscribes: Bool = false) {
    unsafe list = unsafe rd_kafka_topic_partition_list_new(Int32(max(1, offsets.count)))
    for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      unsafe rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset = offset
    }
    if subscribes { unsafe rd_kafka_topic_partition_list_add(list, topic, -1) }
  }

  convenience init(_ partitions: [Int32], topic: String) {
    self.init(Dictionary(uniqueKeysWithValues: partitions.map { ($0, Int64(RD_KAFKA_OFFSET_INVALID)) }), topic: topic)
  }

  deinit { unsafe rd_kafka_topic_partition_list_destroy(list) }

  var offsets: [Int32: Int64] {
    var found: [Int32: Int64] = [:]
    for index in 0..<Int(unsafe list.pointee.cnt) {
      let element = unsafe list.pointee.elems[index]
      unsafe found[element.partition] = unsafe element.offset
    }
    return found
  }
}

extension KafkaError {
  init(_ code: rd_kafka_resp_err_t, _ place: String) {
    let remedy: String? =
      switch code {
      case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__TIMED_OUT:
        "check the brokers' addresses and that they run"
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        "check --topic"
      case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        "check the sasl.* and security.protocol options"
      case RD_KAFKA_RESP_ERR__SSL: "check the ssl.* and security.protocol options"
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: "let this user read the topic"
      case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: "let this user join the group, or name another --group"
      default: nil
      }
    self.init(place, unsafe String(cString: rd_kafka_err2str(code)), remedy: remedy)
  }
}
