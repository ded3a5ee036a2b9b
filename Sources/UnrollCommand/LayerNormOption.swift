import ArgumentParser
import Recurrence

/// `--layer-norm`, which makes another cell of the chosen one.
struct LayerNormOption: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: """
      Layer normalization in the cell of an lstm (Ba, Kiros & Hinton 2016): products and cell, step by step. In train it \
      is the default of an lstm without --hidden-size.
      """)
  var layerNorm: Bool?

  /// Nil is the default cell, an LSTM.
  func validate(with cell: RecurrentCell?) throws {
    try require(
      layerNorm != true || cell ?? .lstm == .lstm,
      "--layer-norm is for --cell lstm; there is none in the cell of \(cell?.rawValue ?? "").")
  }

  /// The cell that `--cell` and this flag name together.
  ///
  /// - Parameter byDefault: Whether an LSTM is normalized where nothing is said.
  func applied(to cell: RecurrentCell, byDefault: Bool = false) -> RecurrentCell {
    cell == .lstm && layerNorm ?? byDefault ? .layerNormLSTM : cell
  }
}

extension RecurrentCell: ExpressibleByArgument {
  /// What `--cell` takes.
  public static var allValueStrings: [String] { [lstm, gru, rnn].map(\.rawValue) }

  public init?(argument: String) {
    guard Self.allValueStrings.contains(argument) else { return nil }
    self.init(rawValue: argument)
  }
}
