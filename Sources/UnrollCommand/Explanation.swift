import Reports
import Training

/// What `--explain` prints: every setting, and of those that were chosen from what.
struct Explanation {
  private let recipe: Recipe

  init(_ recipe: Recipe) { self.recipe = recipe }

  var text: String {
    var table = ColumnTable(["setting", "value", "chosen from"], flushLeft: 3)
    let reasons = Dictionary(uniqueKeysWithValues: recipe.reasons.map { ($0.choice.rawValue, $0.why) })
    for setting in recipe.configuration.settings {
      table.add([setting.name, setting.value.isEmpty ? "on" : setting.value, reasons[setting.name] ?? ""])
    }
    return table.text
  }
}
