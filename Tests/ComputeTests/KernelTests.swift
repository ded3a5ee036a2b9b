import Compute
import Foundation
import TestSupport
import Testing

/// The float and bfloat16 kernels against the Double ones, at lengths with tails.
@Suite struct KernelTests {
  static let lengths = [1, 3, 15, 16, 17, 31, 33, 64, 100]

  /// Random numbers that all three precisions hold exactly: multiples of 1/16 below 4.
  static func numbers(_ count: Int, seed: UInt64, spread: Double = 4) -> [Double] {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return (0..<count).map { _ in ((random.uniform() * 2 - 1) * spread * 16).rounded() / 16 }
  }

  static func float(_ rows: Int, _ columns: Int, _ values: [Double]) -> Rows<Float> {
    Rows(rows, columns, values.map { Float($0) })
  }

  static func bfloat16(_ rows: Int, _ columns: Int, _ values: [Double]) -> Rows<UInt16> {
    Rows(rows, columns, values.map { UInt16(Float($0).bitPattern >> 16) })
  }

  static func doubles(_ rows: Rows<Float>) -> [Double] { rows.elements.map(Double.init) }
  static func doubles(_ rows: Rows<UInt16>) -> [Double] {
    rows.elements.map { Double(Float(bitPattern: UInt32($0) << 16)) }
  }

  @Test(arguments: lengths.map { $0 + 1 }, [1.0, 80, 10_000])
  func crossEntropy(_ vocabulary: Int, _ spread: Double) {
    let rows = 4
    let logits = Self.numbers(rows * vocabulary, seed: 5, spread: spread)
    let targets = Rows(rows, 1, (0..<rows).map { Int32($0 * 7 % vocabulary) })
    let (expected, expectedGradient) = (Rows<Double>(rows, 1), Rows<Double>(rows, vocabulary))
    DoubleKernels().crossEntropy(
      Rows(rows, vocabulary, logits), targets: targets, scale: 0.5, dLogits: expectedGradient, losses: expected)
    for row in 0..<rows {
      let x = Array(logits[row * vocabulary..<(row + 1) * vocabulary])
      let largest = x.max() ?? 0
      let sum = x.reduce(0) { $0 + exp($1 - largest) }
      let loss = log(sum) + largest - x[Int(targets[row, 0])]
      #expect(abs(expected[row, 0] - loss) <= 1e-12 * max(1, loss))
      for symbol in 0..<vocabulary {
        let p = exp(x[symbol] - largest) / sum - (symbol == Int(targets[row, 0]) ? 1 : 0)
        #expect(abs(expectedGradient[row, symbol] - 0.5 * p) < 1e-15)
      }
    }
    let (losses, gradient) = (Rows<Double>(rows, 1), Rows<Float>(rows, vocabulary))
    Float32Kernels().crossEntropy(
      Self.float(rows, vocabulary, logits), targets: targets, scale: 0.5, dLogits: gradient, losses: losses)
    #expect(zip(losses.elements, expected.elements).allSatisfy { abs($0 - $1) < 1e-6 * max(1, $1) })
    #expect(largestDifference(Self.doubles(gradient), expectedGradient.elements) < 1e-6)
    let rounded = Rows<UInt16>(rows, vocabulary)
    BFloat16Kernels().crossEntropy(
      Self.float(rows, vocabulary, logits), targets: targets, scale: 0.5, dLogits: rounded, losses: losses)
    #expect(largestDifference(Self.doubles(rounded), expectedGradient.elements) < 0.5 / 256)
  }

  struct Product: Sendable, CustomTestStringConvertible {
    let rows, inner, columns: Int
    let transposed, hasBias, adding: Bool
    var testDescription: String { "\(rows)×\(inner)×\(columns) \(transposed) \(hasBias) \(adding)" }
  }

  static let products = [(1, 1, 1), (1, 17, 33), (3, 16, 64), (25, 33, 100), (64, 100, 7), (3, 1100, 40)].flatMap {
    m, k, n in
    [(false, false, false), (false, true, false), (true, false, true), (true, true, true)].map {
      Product(rows: m, inner: k, columns: n, transposed: $0, hasBias: $1, adding: $2)
    }
  }

  /// Makes a matrix of a precision from its sizes and numbers.
  private typealias Maker<Element: BitwiseCopyable> = (Int, Int, [Double]) -> Rows<Element>

  @Test(arguments: products)
  func multiply(_ product: Product) {
    expectProduct(product, DoubleKernels.self, { Rows($0, $1, $2) }, { Rows($0, $1, $2) })
    expectProduct(product, Float32Kernels.self, Self.float, Self.float)
    expectProduct(product, OneDNNKernels<Float>.self, Self.float, Self.float)
  }

  @Test(.needsBFloat16, arguments: products)
  func multiplyInBFloat16(_ product: Product) {
    expectProduct(product, BFloat16Kernels.self, Self.bfloat16, Self.float)
    expectProduct(product, OneDNNKernels<UInt16>.self, Self.bfloat16, Self.float)
  }

  /// Integers up to 8 with sums below 2^16: exact in every precision, so the results are equal.
  private static func integers(_ count: Int, _ seed: UInt64) -> [Double] {
    numbers(count, seed: seed, spread: 8).map { $0.rounded() }
  }

  private func expectProduct<K: Kernels>(
    _ product: Product, _: K.Type, _ operand: Maker<K.Operand>, _ real: Maker<K.Real>
  ) {
    let (m, k, n) = (product.rows, product.inner, product.columns)
    let (a, weight) = (Self.integers(m * k, 1), Self.integers(k * n, 2))
    let (bias, before) = (Self.integers(n, 3), Self.integers(m * n, 4))
    var expected = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        let sum = (0..<k).reduce(0.0) {
          $0 + a[i * k + $1] * (product.transposed ? weight[$1 * n + j] : weight[j * k + $1])
        }
        expected[i * n + j] = sum + (product.hasBias ? bias[j] : 0) + (product.adding ? before[i * n + j] : 0)
      }
    }
    let (weightRows, weightColumns) = product.transposed ? (k, n) : (n, k)
    let kernels = K()
    var packed = kernels.pack(
      real(weightRows, weightColumns, weight.map { -$0 }), transposed: product.transposed, reusing: nil)
    packed = kernels.pack(real(weightRows, weightColumns, weight), transposed: product.transposed, reusing: packed)
    let out = real(m, n, before)
    kernels.multiply(
      operand(m, k, a), packed, bias: product.hasBias ? real(1, n, bias) : nil, into: out, adding: product.adding)
    #expect(K.Real.doubles(out) == expected)
  }

  struct SumSizes: Sendable { let rows, first, second: Int }

  static let sums = [(1, 1, 1), (5, 3, 17), (40, 33, 9), (100, 64, 16), (259, 65, 70), (300, 77, 130)].map {
    SumSizes(rows: $0, first: $1, second: $2)
  }

  @Test(arguments: sums)
  func sumsOverRows(_ sizes: SumSizes) {
    expectSums(sizes, DoubleKernels.self, { Rows($0, $1, $2) }, { Rows($0, $1, $2) })
    expectSums(sizes, Float32Kernels.self, Self.float, Self.float)
  }

  @Test(.needsBFloat16, arguments: sums)
  func sumsOverRowsInBFloat16(_ sizes: SumSizes) {
    expectSums(sizes, BFloat16Kernels.self, Self.bfloat16, Self.float)
  }

  private func expectSums<K: Kernels>(
    _ sizes: SumSizes, _: K.Type, _ operand: Maker<K.Operand>, _ real: Maker<K.Real>
  ) {
    let (rows, first, second) = (sizes.rows, sizes.first, sizes.second)
    let (a, b) = (Self.integers(rows * first, 1), Self.integers(rows * second, 2))
    let before = Self.integers(first * second, 3)
    let symbols = Rows(rows, 1, (0..<rows).map { Int32($0 * 5 % 4) })
    var (outer, columns, table) = (
      before, [Double](repeating: 1, count: first), [Double](repeating: 0, count: 4 * first)
    )
    for r in 0..<rows {
      for i in 0..<first {
        for j in 0..<second { outer[i * second + j] += a[r * first + i] * b[r * second + j] }
        columns[i] += a[r * first + i]
        table[Int(symbols[r, 0]) * first + i] += a[r * first + i]
      }
    }
    let kernels = K()
    let left = operand(rows, first, a)
    let (sum, sums, scattered) = (real(first, second, before), Rows<K.Real>(1, first), Rows<K.Real>(4, first))
    kernels.addOuter(left, operand(rows, second, b), to: sum)
    sums.copy(from: [K.Real](repeating: 1, count: first))
    kernels.addColumnSums(left, to: sums)
    kernels.scatterAdd(left, at: symbols, to: scattered)
    #expect(K.Real.doubles(sum) == outer && K.Real.doubles(sums) == columns && K.Real.doubles(scattered) == table)
    let gathered = Rows<K.Real>(rows, first)
    kernels.gather(symbols, from: scattered, into: gathered, columns: 0..<first)
    for r in 0..<rows {
      #expect(gathered[r..<r + 1].elements == scattered[Int(symbols[r, 0])..<Int(symbols[r, 0]) + 1].elements)
    }
  }

  /// To the nearest, ties to even; NaN stays NaN, infinity infinity.
  @Test func narrowsToBFloat16() {
    let bits: [(UInt32, UInt16)] = [
      (0x3F80_0000, 0x3F80), (0x3F80_7FFF, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81), (0x3F81_8000, 0x3F82),
      (0xBF80_8001, 0xBF81), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x7F7F_FFFF, 0x7F80), (0, 0),
      (0x8000_0000, 0x8000),
      (0x7FC0_0000, 0x7FC0), (0x7FFF_FFFF, 0x7FC0),
    ]
    let out = Rows<UInt16>(1, bits.count)
    BFloat16Kernels().narrow(Rows(1, bits.count, bits.map { Float(bitPattern: $0.0) }), into: out)
    #expect(out.elements == bits.map(\.1))
  }
}
