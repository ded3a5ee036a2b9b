import Compute
import Optimization
import TestSupport
import Testing

/// An optimiser as PyTorch's of the same constants: those of `scripts/make-goldens`.
private struct Example: Sendable, CustomTestStringConvertible {
  let name: String
  let configuration: OptimizerConfiguration
  var testDescription: String { name }

  init(_ name: String, _ configuration: OptimizerConfiguration) {
    self.name = name
    self.configuration = configuration
  }

  static let all = [
    Example("sgd", .init(.sgd)),
    Example("sgd-momentum", .init(.sgd, momentum: 0.9)),
    Example("sgd-nesterov", .init(.sgd, momentum: 0.8, isNesterov: true, weightDecay: 0.1)),
    Example("rmsprop", .init(.rmsprop)),
    Example("rmsprop-momentum", .init(.rmsprop, momentum: 0.7, alpha: 0.9, epsilon: 1e-3, weightDecay: 0.1)),
    Example("adagrad", .init(.adagrad)),
    Example("adagrad-decay", .init(.adagrad, epsilon: 1e-3, weightDecay: 0.1)),
    Example("adam", .init(.adam)),
    Example("adam-decay", .init(.adam, beta1: 0.8, beta2: 0.95, weightDecay: 0.1)),
    Example("adamw", .init(.adamw, weightDecay: 0.1)),
    Example("adamw-epsilon", .init(.adamw, beta1: 0.5, beta2: 0.9, epsilon: 1e-2, weightDecay: 0.3)),
  ]
}

@Suite struct OptimizerTests {
  private static let layout = {
    var layout = ParameterLayout()
    _ = layout.add("matrix", 3, 5)
    _ = layout.add("vector", 7)
    return layout
  }()

  /// A set of the golden's numbers, of one step where there are several.
  private func set<Real: KernelReal>(_ golden: Golden, _ name: (String) -> String, step: Int = 0) -> ParameterSet<Real>
  {
    var set = ParameterSet<Real>(Self.layout)
    for slot in Self.layout.slots {
      let entry = Self.layout[slot]
      let numbers = golden[name(entry.name)].doubles
      set.writable(slot).copy(from: numbers[step * entry.count..<(step + 1) * entry.count].map { Real($0) })
    }
    return set
  }

  private func follow<Real: KernelReal>(_: Real.Type, _ example: Example, tolerance: Double) throws {
    let golden = try Golden("optimizers.safetensors")
    var weights: ParameterSet<Real> = set(golden) { "\($0).start" }
    var optimizer: any Optimizer<Real> = example.configuration.makeOptimizer(Self.layout)
    func check(_ found: ParameterSet<Real>, _ name: String, _ what: String) {
      let expected: ParameterSet<Double> = set(golden) { "\(example.name).\($0).\(name)" }
      for (a, b) in zip(found.numbers, expected.numbers) {
        #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(what): \(a), not \(b)")
      }
    }
    let steps = Int(golden.number("steps"))
    for step in 0..<steps {
      let gradients: ParameterSet<Real> = set(golden, { "\($0).gradients" }, step: step)
      optimizer.update(&weights, gradients: gradients, learningRate: 0.1 / Double(step + 1))
      if step == 0 { check(weights, "1", "the weights after one update") }
    }
    check(weights, "\(steps)", "the weights in the end")
    for named in optimizer.state { check(named.values, named.name, named.name) }
    let remembered = golden.file.entries.filter { $0.name.hasPrefix("\(example.name).matrix.") }.count - 2
    #expect(optimizer.state.count == remembered && optimizer.updates == steps)
  }

  @Test(arguments: Example.all) fileprivate func followsPyTorch(_ example: Example) throws {
    try follow(Double.self, example, tolerance: 1e-14)
  }

  @Test(arguments: Example.all) fileprivate func followsPyTorchInFloat32(_ example: Example) throws {
    try follow(Float.self, example, tolerance: 2e-6)
  }

  /// A fresh optimiser that is given state and count goes on to the bit; the first goes on by itself.
  @Test(arguments: Example.all) fileprivate func goesOnFromItsState(_ example: Example) {
    var weights = randomSet(Float.self, bound: 1, seed: 1)
    var first: any Optimizer<Float> = example.configuration.makeOptimizer(weights.layout)
    func gradients(_ step: Int) -> ParameterSet<Float> { randomSet(Float.self, bound: 3, seed: UInt64(step)) }
    for step in 2..<6 { first.update(&weights, gradients: gradients(step), learningRate: 0.01) }
    var copied = weights
    var second: any Optimizer<Float> = example.configuration.makeOptimizer(weights.layout)
    (second.state, second.updates) = (first.state, first.updates)
    for step in 6..<9 { first.update(&weights, gradients: gradients(step), learningRate: 0.01) }
    #expect(second.updates == 4 && first.updates == 7)
    for step in 6..<9 { second.update(&copied, gradients: gradients(step), learningRate: 0.01) }
    #expect(copied.numbers == weights.numbers)
    #expect(zip(first.state, second.state).allSatisfy { $0.values.numbers == $1.values.numbers })
  }

  /// Without gradients, weight decay moves matrices and leaves vectors alone.
  @Test(arguments: OptimizerConfiguration.Method.allCases)
  func decaysMatricesOnly(_ method: OptimizerConfiguration.Method) {
    var weights = randomSet(Double.self, bound: 1, seed: 3)
    let before = weights.numbers
    var optimizer: any Optimizer<Double> = OptimizerConfiguration(method, weightDecay: 0.5).makeOptimizer(
      weights.layout)
    optimizer.update(&weights, gradients: ParameterSet(weights.layout), learningRate: 0.1)
    let after = weights.numbers
    #expect(zip(before[..<35], after[..<35]).allSatisfy { ($0 > 0) == ($1 < $0) && $0 != $1 })
    #expect(before[35...] == after[35...])
  }
}
