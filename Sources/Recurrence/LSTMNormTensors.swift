import Compute

/// The gains and biases of an LSTM with layer normalization: `rnn.layernorm_hh_l0.weight` and `.bias` are α₁ and β₁ of the
/// paper, `rnn.layernorm_ih_l0` α₂ and β₂, `[4H]`, `rnn.layernorm_c_l0` α₃ and β₃, `[H]`, and `rnn.bias_l0` is b, `[4H]`.
///
/// β₁, β₂ and b add up to what the gates see, and have one gradient; the paper has all three.
struct LSTMNormTensors: Sendable {
  private struct Norm {
    let gain, bias: ParameterLayout.Slot

    init(_ place: String, _ index: Int, count: Int, layout: inout ParameterLayout) {
      gain = layout.add("rnn.layernorm_\(place)_l\(index).weight", count)
      bias = layout.add("rnn.layernorm_\(place)_l\(index).bias", count)
    }
  }

  private let input, recurrent, cell: Norm
  private let bias: ParameterLayout.Slot
  private let hiddenSize: Int

  init(_ shape: LayerShape, layout: inout ParameterLayout) {
    hiddenSize = shape.hiddenSize
    input = Norm("ih", shape.index, count: 4 * hiddenSize, layout: &layout)
    recurrent = Norm("hh", shape.index, count: 4 * hiddenSize, layout: &layout)
    cell = Norm("c", shape.index, count: hiddenSize, layout: &layout)
    bias = layout.add("rnn.bias_l\(shape.index)", 4 * hiddenSize)
  }

  func initialize<Real>(_ parameters: inout ParameterSet<Real>, forgetBias: Double) {
    for norm in [input, recurrent, cell] {
      Real.fill(parameters.writable(norm.gain), with: 1)
      parameters.writable(norm.bias).clear()
    }
    let bias = parameters.writable(bias)
    bias.clear()
    for j in hiddenSize..<2 * hiddenSize { bias[0, j] = Real(forgetBias) }
  }

  /// The places of the tensors in ``LSTMNormStep/norms``.
  private var places: [(tensor: ParameterLayout.Slot, rows: Range<Int>)] {
    [(input.gain, 0..<4), (recurrent.gain, 4..<8), (bias, 8..<12), (cell.gain, 12..<13), (cell.bias, 13..<14)]
  }

  /// As ``LSTMNormStep/norms``, `[14, H]`, in the memory of `old`.
  func pack<Real>(_ parameters: ParameterSet<Real>, reusing old: Rows<Real>?) -> Rows<Real> {
    let norms = old ?? Rows(LSTMNormStep<Real>.normRows, hiddenSize)
    for (tensor, rows) in places { norms[rows].copy(from: parameters[tensor]) }
    for other in [input.bias, recurrent.bias] { Real.add(parameters[other], to: norms[8..<12]) }
    return norms
  }

  // Gradients of single lanes and steps are added one by one to what the parameters already have: so the bits do not
  // depend on how a window is cut.

  /// Takes the gradients so far.
  func begin<Real>(_ dNorms: Rows<Real>, _ gradients: ParameterSet<Real>) {
    for (tensor, rows) in places { dNorms[rows].copy(from: gradients[tensor]) }
  }

  /// Puts them back.
  func end<Real>(_ dNorms: Rows<Real>, _ gradients: inout ParameterSet<Real>) {
    for (tensor, rows) in places { gradients.writable(tensor).copy(from: dNorms[rows]) }
    for other in [input.bias, recurrent.bias] { gradients.writable(other).copy(from: dNorms[8..<12]) }
  }
}
