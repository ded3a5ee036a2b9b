import Reports
import Testing

@Suite struct TensorBoardTests {
  /// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
  @Test func checksum() {
    #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(crc32c(Array(0..<32)) == 0x46DD_794E)
    #expect(crc32c(Array("123456789".utf8)) == 0xE306_9283)
  }

  /// The first record as TensorFlow writes it: length, its checksum, the message, its checksum.
  @Test func beginning() {
    let record = TensorBoardEvents.beginning(at: 1.5)
    #expect(record.prefix(8) == [24, 0, 0, 0, 0, 0, 0, 0])
    #expect(record.count == 8 + 4 + 24 + 4)
    let message = Array(record[12..<36])
    #expect(message == [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x1A, 13] + Array("brain.Event:2".utf8))
    let checksum = crc32c(message)
    let masked = (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    #expect(Array(record.suffix(4)) == (0..<4).map { UInt8(truncatingIfNeeded: masked >> ($0 * 8)) })
  }

  @Test func scalar() {
    let record = TensorBoardEvents.scalars([("loss", 0.5)], step: 300, at: 0)
    let value: [UInt8] = [0x0A, 4] + Array("loss".utf8) + [0x15, 0, 0, 0, 0x3F]
    let summary: [UInt8] = [0x0A, UInt8(value.count)] + value
    let event: [UInt8] =
      [0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0xAC, 0x02, 0x2A, UInt8(summary.count)] + summary
    #expect(Array(record[12..<record.count - 4]) == event)
  }

  @Test func textStandsInACodeBlock() {
    let record = TensorBoardEvents.text("a\n\n# b", tag: "sample", step: 1, at: 0)
    let text = String(decoding: record, as: UTF8.self)
    #expect(text.contains("    a\n    \n    # b"))
  }
}
