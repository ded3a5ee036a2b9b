// swift-tools-version: 6.1
import PackageDescription

// The rooms of the house, bottom up. A target may depend on targets above it in this file only.
let package = Package(
  name: "unroll",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Unroll", targets: ["Unroll"]),
    .executable(name: "unroll", targets: ["UnrollCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // System libraries and C.
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
    .systemLibrary(name: "CUTF8Proc", providers: [.apt(["libutf8proc-dev"]), .brew(["utf8proc"])]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "CKernels"),
    .target(name: "CSystem"),

    // Libraries.
    .target(name: "Compute", dependencies: ["CKernels", "COneDNN"]),
    .target(
      name: "ModelFiles",
      dependencies: ["CSystem", .target(name: "CCrypto", condition: .when(platforms: [.linux]))]),
    .target(name: "UnicodeText", dependencies: ["CUTF8Proc"]),
    .target(name: "Tokenization", dependencies: ["UnicodeText", "ModelFiles"]),
    .target(name: "Optimization", dependencies: ["Compute"]),
    .target(name: "Recurrence", dependencies: ["Compute"]),
    .target(name: "LanguageModeling", dependencies: ["Recurrence", "Tokenization", "ModelFiles", "Compute"]),
    .target(name: "Reports"),
    .target(name: "Corpora", dependencies: ["Tokenization", "ModelFiles", "UnicodeText", "Compute", "CZlib"]),
    .target(name: "Sampling", dependencies: ["LanguageModeling", "Tokenization", "ModelFiles", "Compute"]),
    .target(
      name: "Evaluation",
      dependencies: [
        "LanguageModeling", "Recurrence", "Reports", "Tokenization", "UnicodeText", "ModelFiles", "Compute",
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Evaluation", "Sampling", "LanguageModeling", "Recurrence", "Optimization", "Corpora", "Tokenization",
        "UnicodeText", "ModelFiles", "Reports", "Compute",
      ]),
    .target(name: "Unroll", dependencies: ["LanguageModeling", "Sampling", "Evaluation", "Training", "Tokenization"]),

    .target(
      name: "Benchmarking",
      dependencies: [
        "Sampling", "LanguageModeling", "Recurrence", "Optimization", "Tokenization", "ModelFiles", "Reports",
        "Compute",
      ]),

    // The command.
    .executableTarget(
      name: "UnrollCommand",
      dependencies: [
        "Training", "Benchmarking", "Evaluation", "Sampling", "Optimization", "Corpora", "Reports", "LanguageModeling",
        "Recurrence",
        "Tokenization", "UnicodeText", "ModelFiles", "Compute",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["LanguageModeling", "Recurrence", "ModelFiles", "Tokenization", "Compute"],
      path: "Tests/TestSupport"),
    .testTarget(
      name: "CorporaTests",
      dependencies: ["Corpora", "Tokenization", "UnicodeText", "ModelFiles", "Compute", "TestSupport"]),
    .testTarget(name: "OptimizationTests", dependencies: ["Optimization", "Compute", "TestSupport"]),
    .testTarget(
      name: "SamplingTests",
      dependencies: [
        "Sampling", "LanguageModeling", "Recurrence", "Tokenization", "ModelFiles", "Compute", "TestSupport",
      ]),
    .testTarget(name: "ReportsTests", dependencies: ["Reports"]),
    .testTarget(name: "ComputeTests", dependencies: ["Compute", "CKernels", "TestSupport"]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", "LanguageModeling", "Recurrence", "Tokenization", "UnicodeText", "ModelFiles", "Compute",
        "TestSupport",
      ]),
    .testTarget(name: "RecurrenceTests", dependencies: ["Recurrence", "Compute", "TestSupport"]),
    .testTarget(
      name: "LanguageModelingTests",
      dependencies: ["LanguageModeling", "Optimization", "Recurrence", "Compute", "Tokenization", "TestSupport"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Evaluation", "LanguageModeling", "Recurrence", "Corpora", "Optimization", "Sampling", "Compute",
        "ModelFiles", "Tokenization", "TestSupport",
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "UnrollCommand", "Unroll", "Corpora", "LanguageModeling", "Recurrence", "Compute", "ModelFiles", "Tokenization",
        "TestSupport",
      ]),
    .testTarget(name: "ModelFilesTests", dependencies: ["ModelFiles", "Compute", "TestSupport"]),
    .testTarget(name: "UnicodeTextTests", dependencies: ["UnicodeText", "CUTF8Proc", "Compute", "TestSupport"]),
    .testTarget(
      name: "TokenizationTests", dependencies: ["Tokenization", "UnicodeText", "ModelFiles", "Compute", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
