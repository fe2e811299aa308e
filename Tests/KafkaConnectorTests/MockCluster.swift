import CRdKafka
import Glibc
import TestSupport

/// Brokers of librdkafka's in this process, which speak Kafka's protocol on local ports, and a producer for them.
///
/// They keep about 5 MiB of each partition.
@safe final class MockCluster {
  // SAFETY: this object alone owns the producer, which owns the cluster.
  private let producer: OpaquePointer
  private let cluster: OpaquePointer
  let brokers: String

  init() throws {
    let configuration = unsafe rd_kafka_conf_new()!
    unsafe rd_kafka_conf_set(configuration, "test.mock.num.brokers", "3", nil, 0)
    unsafe rd_kafka_conf_set(configuration, "linger.ms", "1", nil, 0)
    unsafe rd_kafka_conf_set_log_cb(configuration, nil)
    guard let producer = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0),
      let cluster = unsafe rd_kafka_handle_mock_cluster(producer)
    else { throw ProgramFailure(description: "there is no mock cluster") }
    unsafe self.producer = unsafe producer
    unsafe self.cluster = unsafe cluster
    brokers = unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
  }

  deinit { unsafe rd_kafka_destroy(producer) }

  func create(_ topic: String, partitions: Int32) {
    unsafe rd_kafka_mock_topic_create(cluster, topic, partitions, 1)
  }

  /// Queues a message; `flush` waits for it.
  func produce(
    _ payload: String?, to topic: String, partition: Int32, key: String? = nil, millis: Int64 = 0,
    headers: [(String, String)] = []
  ) {
    let memory = Strings()
    defer { withExtendedLifetime(memory) {} }
    var parts: [rd_kafka_vu_t] = unsafe []
    func add(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t) -> Void) {
      var part = unsafe rd_kafka_vu_t()
      unsafe part.vtype = type
      unsafe set(&part)
      unsafe parts.append(part)
    }
    unsafe add(RD_KAFKA_VTYPE_TOPIC) { unsafe $0.u.cstr = UnsafePointer(memory.copy(topic)) }
    unsafe add(RD_KAFKA_VTYPE_PARTITION) { unsafe $0.u.i32 = partition }
    unsafe add(RD_KAFKA_VTYPE_MSGFLAGS) { unsafe $0.u.i = Int32(RD_KAFKA_MSG_F_COPY) }
    if millis > 0 { unsafe add(RD_KAFKA_VTYPE_TIMESTAMP) { unsafe $0.u.i64 = millis } }
    if let payload {
      unsafe add(RD_KAFKA_VTYPE_VALUE) {
        unsafe $0.u.mem.ptr = UnsafeMutableRawPointer(memory.copy(payload))
        unsafe $0.u.mem.size = payload.utf8.count
      }
    }
    if let key {
      unsafe add(RD_KAFKA_VTYPE_KEY) {
        unsafe $0.u.mem.ptr = UnsafeMutableRawPointer(memory.copy(key))
        unsafe $0.u.mem.size = key.utf8.count
      }
    }
    for (name, value) in headers {
      unsafe add(RD_KAFKA_VTYPE_HEADER) {
        unsafe $0.u.header.name = UnsafePointer(memory.copy(name))
        unsafe $0.u.header.val = UnsafeRawPointer(memory.copy(value))
        unsafe $0.u.header.size = value.utf8.count
      }
    }
    while let error = unsafe rd_kafka_produceva(producer, parts, parts.count) {
      let isFull = unsafe rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL
      unsafe rd_kafka_error_destroy(error)
      precondition(isFull, "a message cannot be produced")
      unsafe rd_kafka_poll(producer, 10)
    }
  }

  func flush() { unsafe rd_kafka_flush(producer, 30_000) }
}

/// Copies of texts for C, which live as long as this.
@safe private final class Strings {
  // SAFETY: this object alone owns the copies.
  private var copies: [UnsafeMutablePointer<CChar>] = unsafe []

  func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let copy = unsafe strdup(text)!
    unsafe copies.append(copy)
    return unsafe copy
  }

  deinit { while let copy = unsafe copies.popLast() { unsafe free(copy) } }
}
