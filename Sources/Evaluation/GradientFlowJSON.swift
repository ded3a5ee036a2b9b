import LanguageModeling
import ModelFiles

extension GradientFlow {
  /// One object; numbers that are not finite are null.
  public var json: JSON {
    [
      "cell": .string(configuration.cell.rawValue), "lags": .integer(settings.lags), "steps": .integer(settings.steps),
      "lanes": .integer(settings.lanes), "loss": JSON(loss),
      "layers": .array(layers.map { $0.json(configuration) }),
      "stable_from": JSON(1 / GradientVerdict.largestStableDecay),
      "stable_to": JSON(GradientVerdict.largestStableDecay),
      "weight_gradient_by_path_length": numbers(weightGradient.norms),
      "weight_gradient_longer_paths": JSON(weightGradient.longer), "weight_gradient_norm": JSON(weightGradient.full),
      "truncation": .array(truncation.map(\.json)),
      "recommended_k2": .integer(recommended(everyStep: false)),
      "recommended_k2_with_k1_1": .integer(recommended(everyStep: true)),
    ]
  }
}

private func numbers(_ values: [Double]) -> JSON { .array(values.map { JSON($0) }) }

extension GradientFlow.Layer {
  fileprivate func json(_ configuration: ModelConfiguration) -> JSON {
    var json: JSON = [
      "cell": .string(configuration.cell.rawValue), "norm_by_lag": numbers(hidden.normByLag),
      "decay": JSON(hidden.decay),
      "half_life": JSON(hidden.halfLife), "verdict": .string(hidden.verdict.rawValue),
      "fitted_lags": hidden.json, "late_decay": JSON(hidden.lateDecay), "spectral_radius": JSON(spectralRadius),
      "matrices": .array(
        matrices.map { matrix -> JSON in
          [
            "gate": .string(matrix.gate), "spectral_radius": JSON(matrix.spectralRadius), "norm": JSON(matrix.norm),
          ]
        }),
      "lyapunov_exponent": JSON(lyapunovExponent),
      "weight_gradient_by_path_length": numbers(weightGradient.norms),
    ]
    if configuration.cell == .rnn {
      json = json.adding(.init("nonlinearity", .string(configuration.nonlinearity.rawValue)))
    }
    guard let cell else { return json }
    return json.adding(
      .init("cell_norm_by_lag", numbers(cell.normByLag)), .init("cell_decay", JSON(cell.decay)),
      .init("cell_half_life", JSON(cell.halfLife)), .init("cell_verdict", .string(cell.verdict.rawValue)),
      .init("cell_late_decay", JSON(cell.lateDecay)),
      .init("cell_fitted_lags", cell.json))
  }
}

extension GradientDecay {
  /// The first and the last lag of the fit, or null.
  fileprivate var json: JSON {
    fittedLags.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) } ?? .null
  }
}

extension GradientFlow.Truncation {
  fileprivate var json: JSON {
    [
      "k1": .integer(k1), "k2": .integer(k2), "relative_error": JSON(relativeError), "cosine": JSON(cosine),
      "activation_bytes": .integer(activationBytes), "milliseconds_per_step": JSON(millisecondsPerStep),
    ]
  }
}
