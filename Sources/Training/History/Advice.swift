import Reports

extension RunHistory {
  /// One line on what the curves say, or nil where they say nothing in particular.
  ///
  /// Overfitting: the validation loss was lowest before the last quarter of the run and ended more than 1 % above that.
  /// Underfitting: it was still falling by more than 1 % over the last quarter.
  public var advice: String? {
    guard validations.count >= 4, let last = validations.last, let best, best.loss > 0 else { return nil }
    let quarterBefore = validations.last { $0.step <= last.step - last.step / 4 } ?? validations[0]
    if best.step < quarterBefore.step && last.loss > best.loss * 1.01 {
      return
        "The validation loss was lowest after step \(grouped(best.step)) of \(grouped(last.step)) and has risen since: "
        + "the model overfits. That best model is the one saved; more text, more dropout or a smaller model would go further."
    }
    if last.loss < quarterBefore.loss * 0.99 {
      return "The validation loss was still falling at the end (by "
        + "\(decimal(100 * (1 - last.loss / quarterBefore.loss), places: 1)) % over the last quarter): "
        + "more time would go further."
    }
    return nil
  }
}
