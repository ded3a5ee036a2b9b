import Compute
import Testing

extension Trait where Self == ConditionTrait {
  /// For tests of products in bfloat16: a processor without them, or an oneDNN that may not use them, skips these.
  public static var needsBFloat16: Self {
    .enabled(if: hasBFloat16Hardware, "oneDNN has no bfloat16 products on this processor")
  }
}
