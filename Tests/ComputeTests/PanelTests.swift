import CKernels
import Compute
import TestSupport
import Testing

/// Products with weights in panels: who computes what, and beside what, changes no bit.
@Suite struct PanelTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let rows, inner, units, gates: Int
    var testDescription: String { "\(rows)×\(inner)×\(units)×\(gates)" }
  }

  static let shapes = [
    Shape(rows: 1, inner: 7, units: 5, gates: 1), Shape(rows: 13, inner: 33, units: 70, gates: 4),
    Shape(rows: 6, inner: 64, units: 200, gates: 3), Shape(rows: 9, inner: 129, units: 131, gates: 1),
    Shape(rows: 2, inner: 40, units: 300, gates: 4), Shape(rows: 1, inner: 8, units: 192, gates: 1),
    Shape(rows: 1, inner: 8, units: 256, gates: 1),
  ]

  private func rows<Element>(_ rows: Int, _ columns: Int, seed: UInt64, _ convert: (Double) -> Element) -> Rows<Element>
  {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return Rows(rows, columns, randomNumbers(rows * columns, bound: 1, using: &random).map(convert))
  }

  private func check<K: Kernels>(_: K.Type, _ shape: Shape, _ operands: Rows<K.Operand>) {
    let outputs = shape.units * shape.gates
    let kernels = K()
    let weight = rows(outputs, shape.inner, seed: 1) { K.Real($0) }
    let bias = rows(1, outputs, seed: 2) { K.Real($0) }
    let packed = kernels.pack(weight, transposed: false, gates: shape.gates, reusing: nil)
    let whole = Rows<K.Real>(shape.rows, outputs)
    kernels.multiply(operands, packed, bias: bias, into: whole, adding: false)
    for threads in [2, 3, 8] {
      let parts = Rows<K.Real>(shape.rows, outputs)
      for share in Workers(threads: threads).shares {
        kernels.multiply(
          operands, packed, bias: bias, into: parts, adding: false, units: share.units(of: shape.units))
      }
      #expect(parts.elements == whole.elements, "\(threads) threads")
      let packers = K(packingOn: Workers(threads: threads))
      let again = packers.pack(weight, transposed: false, gates: shape.gates, reusing: nil)
      kernels.multiply(operands, again, bias: bias, into: parts, adding: false)
      #expect(parts.elements == whole.elements, "packed on \(threads) threads")
    }
    let backwards = Rows<K.Real>(shape.rows, outputs)
    kernels.multiply(operands, packed, bias: bias, into: backwards, adding: false, units: nil, sweep: .back)
    #expect(backwards.elements == whole.elements, "backwards")
    for row in 0..<shape.rows {
      let alone = Rows<K.Real>(1, outputs)
      kernels.multiply(operands[row..<row + 1], packed, bias: bias, into: alone, adding: false)
      #expect(alone.elements == whole[row..<row + 1].elements, "row \(row)")
    }
  }

  @Test(arguments: shapes)
  func rowsAndUnitsAreIndependent(_ shape: Shape) {
    let (m, k) = (shape.rows, shape.inner)
    check(DoubleKernels.self, shape, rows(m, k, seed: 3) { $0 })
    check(Float32Kernels.self, shape, rows(m, k, seed: 3) { Float($0) })
    check(BFloat16Kernels.self, shape, rows(m, k, seed: 3) { UInt16(Float($0).bitPattern >> 16) })
    check(Int8Kernels.self, shape, rows(m, k, seed: 3) { UInt8(128 + ($0 * 127).rounded()) })
  }

  /// Weights and states rounded to bytes: each product is off by at most half a step of both.
  @Test(arguments: shapes)
  func bytesFollowDouble(_ shape: Shape) {
    let (m, k, n) = (shape.rows, shape.inner, shape.units * shape.gates)
    let (a, weight) = (rows(m, k, seed: 4) { Float($0) }, rows(n, k, seed: 5) { Float($0 / 4) })
    let kernels = Int8Kernels()
    let bytes = Rows<UInt8>(m, k)
    kernels.narrow(a, into: bytes)
    let out = Rows<Float>(m, n)
    kernels.multiply(
      bytes, kernels.pack(weight, transposed: false, gates: shape.gates, reusing: nil), bias: nil, into: out,
      adding: false)
    for i in 0..<m {
      for j in 0..<n {
        let exact = (0..<k).reduce(0.0) { $0 + Double(a[i, $1]) * Double(weight[j, $1]) }
        let largest = (0..<k).map { abs(Double(weight[j, $0])) }.max() ?? 0
        let bound = Double(k) * 0.5 / 127 * (largest + 0.25)
        #expect(abs(Double(out[i, j]) - exact) <= bound)
      }
    }
  }

  @Test func bytesAreRoundedAndHeldWithinBounds() {
    let bytes = Rows<UInt8>(1, 6)
    Int8Kernels().narrow(Rows(1, 6, [0, 1, -1, 0.5, 7, -7]), into: bytes)
    #expect(bytes.elements == [128, 255, 1, 192, 255, 1])
  }

  /// The forms for processors without the instructions: the same for bytes, as near as rounding lets it for bfloat16.
  @Test(arguments: [(1, 7, 20), (5, 64, 64), (8, 33, 100)])
  func portableForms(_ m: Int, _ k: Int, _ n: Int) {
    let panels = (n + 63) / 64 * 4
    let columns = (0..<panels).map { Int32($0 * 16 < n ? $0 * 16 : 0) }
    let counts = (0..<panels).map { Int32(max(0, min(16, n - $0 * 16))) }
    let weight = rows(n, k, seed: 6) { Float($0) }.elements
    func run<Operand>(
      _ x: [Operand], _ stride: Int,
      _ pack: (
        Int, UnsafePointer<Float>, Int, Int, Int, Int, UnsafePointer<Int32>, UnsafePointer<Int32>,
        UnsafeMutablePointer<UInt8>
      ) -> Void,
      _ multiply: (
        Int, Int, UnsafePointer<Operand>, UnsafePointer<UInt8>, Int, Int, UnsafePointer<Int32>, UnsafePointer<Int32>,
        UnsafePointer<Float>?, Bool, Bool, UnsafeMutablePointer<Float>, Int
      ) -> Void
    ) -> [Float] {
      var out = [Float](repeating: 0.5, count: m * n)
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: stride * panels / 4, alignment: 64)
      defer { memory.deallocate() }
      guard let bytes = memory.bindMemory(to: UInt8.self).baseAddress else { return [] }
      pack(k, weight, k, 1, 0, panels / 4, columns, counts, bytes)
      multiply(m, k, x, bytes, 0, panels / 4, columns, counts, nil, true, false, &out, n)
      return out
    }
    let bytes = rows(m, k, seed: 7) { UInt8(128 + ($0 * 127).rounded()) }.elements
    let stride8 = ckernels_panel_stride_int8(k)
    #expect(
      run(bytes, stride8, ckernels_panel_pack_int8, ckernels_panel_multiply_int8)
        == run(bytes, stride8, ckernels_panel_pack_int8, ckernels_panel_multiply_int8_portable))
    let halves = rows(m, k, seed: 7) { UInt16(Float($0).bitPattern >> 16) }.elements
    let stride16 = ckernels_panel_stride_bf16(k)
    let fast = run(halves, stride16, ckernels_panel_pack_bf16, ckernels_panel_multiply_bf16)
    let portable = run(halves, stride16, ckernels_panel_pack_bf16, ckernels_panel_multiply_bf16_portable)
    #expect(zip(fast, portable).allSatisfy { abs($0 - $1) < 1e-5 * (1 + abs($0)) })
    #expect(fast.contains { abs($0 - 0.5) > 0.1 })
  }

  @Test(arguments: [(1, 7, 20), (5, 64, 64), (301, 70, 100)])
  func portableOuterProducts(_ m: Int, _ first: Int, _ second: Int) {
    func packed(_ columns: Int, seed: UInt64) -> [UInt16] {
      let halves = rows(m, columns, seed: seed) { UInt16(Float($0).bitPattern >> 16) }.elements
      var packed = [UInt16](repeating: 0, count: ckernels_outer_count_bf16(m, columns))
      ckernels_outer_pack_bf16(m, columns, halves, &packed)
      return packed
    }
    let (a, b) = (packed(first, seed: 1), packed(second, seed: 2))
    var fast = [Float](repeating: 0.5, count: first * second)
    var portable = fast
    ckernels_add_outer_bf16(m, first, second, a, b, &fast)
    ckernels_panel_add_outer_bf16_portable(m, first, second, a, b, &portable)
    #expect(zip(fast, portable).allSatisfy { abs($0 - $1) < 1e-4 * (1 + abs($0)) })
    #expect(fast.contains { abs($0 - 0.5) > 0.1 })
  }

  /// A tape does what was asked for on what the matrices hold when it is played.
  @Test func tapesArePlayedOnNewContents() {
    let (kernels, direct) = (TapeKernels<Float>(), Float32Kernels())
    let weight = rows(8, 3, seed: 8) { Float($0) }
    let (a, out, hidden) = (Rows<Float>(2, 3), Rows<Float>(2, 8), Rows<Float>(2, 2))
    let (cell, next) = (rows(2, 2, seed: 9) { Float($0) }, Rows<Float>(2, 2))
    kernels.multiply(
      a, kernels.pack(weight, transposed: false, gates: 4, reusing: nil), bias: nil, into: out, adding: false)
    kernels.lstmForward(gates: out, cell: cell, nextCell: next, hidden: hidden, units: 0..<2)
    #expect(out.elements.allSatisfy { $0 == 0 } && hidden.elements.allSatisfy { $0 == 0 })
    for seed: UInt64 in 1...3 {
      a.copy(from: rows(2, 3, seed: seed) { Float($0) })
      kernels.tape.play()
      let (gates, nextCell, expected) = (Rows<Float>(2, 8), Rows<Float>(2, 2), Rows<Float>(2, 2))
      direct.multiply(
        a, direct.pack(weight, transposed: false, gates: 4, reusing: nil), bias: nil, into: gates, adding: false)
      direct.lstmForward(gates: gates, cell: cell, nextCell: nextCell, hidden: expected, units: 0..<2)
      #expect(hidden.elements == expected.elements && next.elements == nextCell.elements)
    }
  }
}
