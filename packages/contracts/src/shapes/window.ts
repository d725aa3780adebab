/** Windows that slide over an input, and how many places they have. */

import type { Dimension } from "../model/operators.ts";
import type { OperatorView } from "./operator-view.ts";

/** The length that a sliding window gives; `null` where the input is not known, `untold` where the window is not. */
export function windowLength(
  view: OperatorView,
  dimension: Dimension | undefined,
  { kernel, index, isPool }: { kernel: Dimension | undefined; index: number; isPool: boolean },
): number | null | "untold" {
  const [length, size] = [view.dimensions.resolve(dimension), view.dimensions.resolve(kernel)];
  if (typeof length !== "number") return null;
  if (typeof size !== "number") return "untold";
  if (!isWindowKnown(view, isPool)) return "untold";
  const at = settingOf(view, index);
  // Windows of pooling lie side by side, but not those of ONNX.
  const stride = at("stride strides", isPool && !view.has("kernelshape") ? size : 1);
  if (stride < 1) return "untold";
  if (/^same/i.test(namedPadding(view) ?? "")) return Math.ceil(length / stride);
  const reach = at("dilation dilations", 1) * (size - 1) + 1;
  const padding = paddingOf(view, index);
  const places = (length + padding - reach) / stride;
  if (!view.flag("ceilmode")) return Math.floor(places) + 1;
  // A window that would begin in the padding behind the input is left out.
  const last = Math.ceil(places);
  return last * stride >= length + padding / 2 ? last : last + 1;
}

/** The length from which a sliding window would give this one, where all that it takes is known. */
export function widenedLength(
  view: OperatorView,
  dimension: Dimension | undefined,
  { kernel, index }: { kernel: Dimension | undefined; index: number },
): number | null | "untold" {
  const [length, size] = [view.dimensions.resolve(dimension), view.dimensions.resolve(kernel)];
  if (typeof length !== "number") return null;
  if (typeof size !== "number" || namedPadding(view) !== undefined) return "untold";
  if (!isWindowKnown(view, false)) return "untold";
  const at = settingOf(view, index);
  return (
    (length - 1) * at("stride strides", 1) -
    paddingOf(view, index) +
    at("dilation dilations", 1) * (size - 1) +
    at("outputpadding", 0) +
    1
  );
}

/** The setting of one dimension: one number stands for all. */
function settingOf(view: OperatorView, index: number): (names: string, usual: number) => number {
  return (names, usual) => {
    const list = view.numbers(names) ?? [];
    return list.length === 1 ? (list[0] ?? usual) : (list[index] ?? usual);
  };
}

/** A padding by its name. */
function namedPadding(view: OperatorView): string | undefined {
  const name = view.text("padding autopad");
  return name === undefined || name === "NOTSET" ? undefined : name;
}

/** What is added at both ends together. ONNX writes all beginnings, then all ends. */
function paddingOf(view: OperatorView, index: number): number {
  const both = view.numbers("pads");
  if (both === undefined) return 2 * settingOf(view, index)("padding", 0);
  return (both[index] ?? 0) + (both[index + both.length / 2] ?? 0);
}

/** Whether the record tells how the window goes: where it names one of its settings, those that it leaves out are usual. */
function isWindowKnown(view: OperatorView, isPool: boolean): boolean {
  const named = namedPadding(view);
  if (named !== undefined) return /^(?:same(?:_upper|_lower)?|valid)$/i.test(named);
  if (view.has("pads") && (view.numbers("pads") ?? [0]).length % 2 === 1) return false;
  if (view.has("padding") && view.numbers("padding") === undefined) return false;
  return view.has(
    `stride strides padding pads dilation dilations groups group${isPool ? " kernelsize kernelshape" : ""}`,
  );
}
