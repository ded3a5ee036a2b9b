import Compute
import Foundation
import TestSupport
import Testing

/// One step of each cell and back: float and bfloat16 against Double, at lengths with tails.
@Suite struct CellStepTests {
  static let lanes = 3

  /// What a step made, all in Double, by name.
  typealias Outcome = [String: [Double]]

  /// One cell's step forward and back on kernels `K`, from numbers that all precisions hold exactly.
  struct Step<K: Kernels> {
    let hidden: Int
    let real: (Int, Int, [Double]) -> Rows<K.Real>
    let operand: (Int, Int, [Double]) -> Rows<K.Operand>
    let doubles: (Rows<K.Operand>) -> [Double]

    func numbers(_ columns: Int, seed: UInt64, spread: Double = 4) -> Rows<K.Real> {
      real(lanes, columns, KernelTests.numbers(lanes * columns, seed: seed, spread: spread))
    }

    /// The steps forward run on these units one after another; together they are all.
    func lstm(_ parts: [Range<Int>]) -> Outcome {
      let kernels = K()
      let (gates, cell) = (numbers(4 * hidden, seed: 1), numbers(hidden, seed: 2))
      let (dHidden, dCell) = (numbers(hidden, seed: 3), numbers(hidden, seed: 4))
      let (next, h, dGates) = (Rows<K.Real>(lanes, hidden), Rows<K.Operand>(lanes, hidden), operands(4))
      for units in parts { kernels.lstmForward(gates: gates, cell: cell, nextCell: next, hidden: h, units: units) }
      kernels.lstmBackward(gates: gates, cell: cell, nextCell: next, dHidden: dHidden, dCell: dCell, dGates: dGates)
      return [
        "gates": K.Real.doubles(gates), "cell": K.Real.doubles(next), "dCell": K.Real.doubles(dCell),
        "hidden": doubles(h), "dGates": doubles(dGates),
      ]
    }

    /// A step looks at all units: of several parts, each is some of the lanes.
    func layerNormLSTM(_ parts: [Range<Int>]) -> Outcome {
      let kernels = K()
      let norms = real(14, hidden, KernelTests.numbers(14 * hidden, seed: 5, spread: 2))
      let (projection, products) = (numbers(4 * hidden, seed: 1), numbers(4 * hidden, seed: 6))
      let (cell, dHidden, dCell) = (numbers(hidden, seed: 2), numbers(hidden, seed: 3), numbers(hidden, seed: 4))
      let (gates, moments, next) = (
        Rows<K.Real>(lanes, 4 * hidden), Rows<K.Real>(lanes, 6), Rows<K.Real>(lanes, hidden)
      )
      let (dNorms, scratch) = (Rows<K.Real>(14, hidden), Rows<K.Real>(5, hidden))
      let (h, dProjection, dProducts) = (Rows<K.Operand>(lanes, hidden), operands(4), operands(4))
      for rows in parts.count == 1 ? [0..<lanes] : [2..<3, 0..<2, 1..<1] {
        kernels.lstmNormForward(
          LSTMNormStep(
            norms: norms, projection: projection[rows], products: products[rows], gates: gates[rows], cell: cell[rows],
            nextCell: next[rows], moments: moments[rows]), hidden: h[rows])
      }
      let step = LSTMNormStep(
        norms: norms, projection: projection, products: products, gates: gates, cell: cell, nextCell: next,
        moments: moments)
      kernels.lstmNormBackward(
        step, dHidden: dHidden, dCell: dCell, dNorms: dNorms, scratch: scratch, dProjection: dProjection,
        dProducts: dProducts)
      return [
        "gates": K.Real.doubles(gates), "cell": K.Real.doubles(next), "dCell": K.Real.doubles(dCell),
        "hidden": doubles(h), "dNorms": K.Real.doubles(dNorms), "dProjection": doubles(dProjection),
        "dProducts": doubles(dProducts),
      ]
    }

    func gru(_ parts: [Range<Int>]) -> Outcome {
      let kernels = K()
      let (gates, products) = (numbers(3 * hidden, seed: 1, spread: 2), numbers(3 * hidden, seed: 2, spread: 2))
      let h = operand(lanes, hidden, KernelTests.numbers(lanes * hidden, seed: 3, spread: 1))
      let (dHidden, dPrevious) = (numbers(hidden, seed: 4), numbers(hidden, seed: 5))
      let (candidate, next) = (Rows<K.Real>(lanes, hidden), Rows<K.Operand>(lanes, hidden))
      let (dProjection, dProducts) = (operands(3), operands(3))
      for units in parts {
        kernels.gruForward(
          gates: gates, products: products, hidden: h, candidate: candidate, nextHidden: next, units: units)
      }
      kernels.gruBackward(
        gates: gates, candidate: candidate, hidden: h, dHidden: dHidden, dPrevious: dPrevious,
        dProjection: dProjection, dProducts: dProducts)
      return [
        "gates": K.Real.doubles(gates), "candidate": K.Real.doubles(candidate),
        "dPrevious": K.Real.doubles(dPrevious), "hidden": doubles(next), "dProjection": doubles(dProjection),
        "dProducts": doubles(dProducts),
      ]
    }

    func rnn(_ nonlinearity: Nonlinearity, _ parts: [Range<Int>]) -> Outcome {
      let kernels = K()
      let (gates, dHidden) = (numbers(hidden, seed: 1), numbers(hidden, seed: 2))
      let (h, dGates) = (Rows<K.Operand>(lanes, hidden), operands(1))
      for units in parts { kernels.rnnForward(nonlinearity, gates: gates, hidden: h, units: units) }
      kernels.rnnBackward(nonlinearity, gates: gates, dHidden: dHidden, dGates: dGates)
      return ["gates": K.Real.doubles(gates), "hidden": doubles(h), "dGates": doubles(dGates)]
    }

    private func operands(_ gates: Int) -> Rows<K.Operand> { Rows(lanes, gates * hidden) }

    func outcome(_ cell: TestedCell, _ parts: [Range<Int>]) -> Outcome {
      switch cell {
      case .lstm: lstm(parts)
      case .gru: gru(parts)
      case .layerNormLSTM: layerNormLSTM(parts)
      case .tanhRNN, .reluRNN: rnn(cell.nonlinearity, parts)
      }
    }
  }

  static func double(_ hidden: Int) -> Step<DoubleKernels> {
    Step(hidden: hidden, real: { Rows($0, $1, $2) }, operand: { Rows($0, $1, $2) }, doubles: { $0.elements })
  }
  static func float(_ hidden: Int) -> Step<Float32Kernels> {
    Step(hidden: hidden, real: KernelTests.float, operand: KernelTests.float, doubles: KernelTests.doubles)
  }
  static func bfloat(_ hidden: Int) -> Step<BFloat16Kernels> {
    Step(hidden: hidden, real: KernelTests.float, operand: KernelTests.bfloat16, doubles: KernelTests.doubles)
  }

  /// What operands hold.
  static let operandNames: Set = ["hidden", "dGates", "dProjection", "dProducts"]

  @Test(arguments: TestedCell.allCases, KernelTests.lengths)
  func floatFollowsDouble(_ cell: TestedCell, _ hidden: Int) throws {
    let exact = Self.double(hidden).outcome(cell, [0..<hidden])
    let float = Self.float(hidden).outcome(cell, [0..<hidden])
    let rounded = Self.bfloat(hidden).outcome(cell, [0..<hidden])
    for (name, expected) in exact {
      let values = try #require(float[name])
      #expect(largestDifference(values, expected) < (name.hasPrefix("d") ? 1e-5 : 2e-6), "\(name)")
      guard Self.operandNames.contains(name) else {
        #expect(rounded[name] == values, "\(name)")
        continue
      }
      for (value, exact) in zip(try #require(rounded[name]), values) {
        #expect(abs(value - exact) <= abs(exact) / 256, "\(name)")
      }
    }
  }

  /// A step forward on some units and then on the others is the step, to the bit; what it was not asked for stays.
  @Test(arguments: TestedCell.allCases, [1, 3, 17, 33, 100])
  func unitsCanBeShared(_ cell: TestedCell, _ hidden: Int) {
    let middle = (hidden + 1) / 2
    let parts = [middle..<hidden, 0..<middle, middle..<middle]
    #expect(Self.double(hidden).outcome(cell, parts) == Self.double(hidden).outcome(cell, [0..<hidden]))
    #expect(Self.float(hidden).outcome(cell, parts) == Self.float(hidden).outcome(cell, [0..<hidden]))
    #expect(Self.bfloat(hidden).outcome(cell, parts) == Self.bfloat(hidden).outcome(cell, [0..<hidden]))
  }

  /// Gates far outside: saturated, finite; NaN stays NaN.
  @Test(arguments: [-1e30, -200, 200, 1e30] as [Float])
  func extremeGates(_ value: Float) {
    let kernels = Float32Kernels()
    let (next, candidate, hidden) = (Rows<Float>(1, 1), Rows<Float>(1, 1), Rows<Float>(1, 1))
    func expectSaturated(_ values: [Float]) { #expect(values.allSatisfy { $0.isFinite && abs($0) <= 1 }) }
    let four = Rows(1, 4, [value, value, value, value])
    kernels.lstmForward(gates: four, cell: Rows(1, 1), nextCell: next, hidden: hidden, units: 0..<1)
    expectSaturated(four.elements + next.elements + hidden.elements)
    let three = Rows(1, 3, [value, value, value])
    kernels.gruForward(
      gates: three, products: Rows(1, 3), hidden: Rows(1, 1), candidate: candidate, nextHidden: hidden, units: 0..<1)
    expectSaturated(three.elements + hidden.elements)
    let one = Rows(1, 1, [value])
    kernels.rnnForward(.tanh, gates: one, hidden: hidden, units: 0..<1)
    expectSaturated(one.elements + hidden.elements)
  }

  /// One lane of a step with layer normalization, its gains 1: the activations and the hidden state.
  private func normalized(projection: [Float], products: [Float], bias: Float = 0) -> (gates: [Float], hidden: [Float])
  {
    let size = projection.count / 4
    let one = { [Float](repeating: $0, count: $1) }
    let step = LSTMNormStep<Float>(
      norms: Rows(14, size, one(1, 8 * size) + one(bias, 4 * size) + one(1, size) + one(0, size)),
      projection: Rows(1, 4 * size, projection), products: Rows(1, 4 * size, products), gates: Rows(1, 4 * size),
      cell: Rows(1, size), nextCell: Rows(1, size), moments: Rows(1, 6))
    let hidden = Rows<Float>(1, size)
    Float32Kernels().lstmNormForward(step, hidden: hidden)
    return (step.gates.elements, hidden.elements)
  }

  /// Rows without variance become the bias; rows far outside stay finite; NaN takes the row.
  @Test(arguments: [0, 1, -200, 1e30] as [Float])
  func normalizationOfExtremes(_ value: Float) {
    let zeros = [Float](repeating: 0, count: 8)
    let still = normalized(projection: zeros.map { _ in value }, products: zeros, bias: 0.5)
    for gate in still.gates[..<4] { #expect(abs(gate - 1 / (1 + exp(-0.5))) < 1e-6) }
    let far = normalized(projection: [value, -value, 0, 1, 2, 3, value, 5], products: zeros.map { _ in -value })
    #expect((far.gates + far.hidden).allSatisfy { $0.isFinite && abs($0) <= 1 })
    let none = normalized(projection: [.nan, 0, 0, 0, 0, 0, 0, value], products: zeros)
    #expect((none.gates + none.hidden).allSatisfy { $0.isNaN })
  }

  @Test func notANumberStays() {
    let kernels = Float32Kernels()
    let (next, candidate, hidden) = (Rows<Float>(1, 1), Rows<Float>(1, 1), Rows<Float>(1, 1))
    kernels.lstmForward(
      gates: Rows(1, 4, [.nan, 0, 0, 0]), cell: Rows(1, 1), nextCell: next, hidden: hidden, units: 0..<1)
    #expect(next[0, 0].isNaN && hidden[0, 0].isNaN)
    for gate in 0..<3 {
      var values: [Float] = [0, 0, 0]
      values[gate] = .nan
      kernels.gruForward(
        gates: Rows(1, 3, values), products: Rows(1, 3, [1, 1, 1]), hidden: Rows(1, 1, [0.5]), candidate: candidate,
        nextHidden: hidden, units: 0..<1)
      #expect(hidden[0, 0].isNaN, "gate \(gate)")
    }
    for nonlinearity in Nonlinearity.allCases {
      kernels.rnnForward(nonlinearity, gates: Rows(1, 1, [.nan]), hidden: hidden, units: 0..<1)
      #expect(hidden[0, 0].isNaN, "\(nonlinearity)")
    }
  }

  /// At 0, relu has the slope 0, as in PyTorch.
  @Test func slopeOfReluAtZero() {
    let (gates, dGates) = (Rows<Double>(1, 3, [-1, 0, 2]), Rows<Double>(1, 3))
    DoubleKernels().rnnForward(.relu, gates: gates, hidden: Rows(1, 3), units: 0..<3)
    #expect(gates.elements == [0, 0, 2])
    DoubleKernels().rnnBackward(.relu, gates: gates, dHidden: Rows(1, 3, [5, 5, 5]), dGates: dGates)
    #expect(dGates.elements == [0, 0, 5])
  }
}
