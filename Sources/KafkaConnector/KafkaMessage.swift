import Buffers
import CRdKafka

/// What librdkafka's queue gave: a message, the end of a partition, or an error.
@safe struct KafkaMessage: ~Copyable {
  // SAFETY: this value alone owns the message, whose bytes live as long.
  private let message: UnsafeMutablePointer<rd_kafka_message_t>

  init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) { unsafe self.message = unsafe message }

  deinit { unsafe rd_kafka_message_destroy(message) }

  var error: rd_kafka_resp_err_t { unsafe message.pointee.err }
  var partition: Int32 { unsafe message.pointee.partition }
  var offset: Int64 { unsafe message.pointee.offset }

  /// What librdkafka says of an error.
  var errorText: String { unsafe String(cString: rd_kafka_message_errstr(message)) }

  /// Nil for a message without a payload, which says that its key is gone.
  var payload: UnsafeRawBufferPointer? {
    guard let bytes = unsafe message.pointee.payload else { return nil }
    return unsafe UnsafeRawBufferPointer(start: bytes, count: message.pointee.len)
  }

  var key: String? {
    guard let bytes = unsafe message.pointee.key else { return nil }
    return unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: message.pointee.key_len), as: UTF8.self)
  }

  /// In milliseconds since 1970; nil where the broker has none.
  var timestampMillis: Int64? {
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let millis = unsafe rd_kafka_message_timestamp(message, &kind)
    return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || millis < 0 ? nil : millis
  }

  /// The last value of each header; null values are left out.
  var headers: [String: String] {
    var list: OpaquePointer?
    guard unsafe rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [:] }
    var headers: [String: String] = [:]
    var (name, value, size) = unsafe (UnsafePointer<CChar>?.none, UnsafeRawPointer?.none, 0)
    var index = 0
    while unsafe rd_kafka_header_get_all(list, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
      index += 1
      guard let name = unsafe name, let value = unsafe value else { continue }
      unsafe headers[String(cString: name)] = unsafe String(
        decoding: UnsafeRawBufferPointer(start: value, count: size), as: UTF8.self)
    }
    return headers
  }
}
