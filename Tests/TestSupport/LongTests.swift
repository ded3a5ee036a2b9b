import Foundation

/// Whether the long checks run too: `scripts/test --long`.
public let runsLongTests = ProcessInfo.processInfo.environment["UNROLL_LONG_TESTS"] != nil
