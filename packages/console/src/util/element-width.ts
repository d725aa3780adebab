/** The width of an element as the layout gives it, for drawings that need it in pixels. */

import { type RefCallback, useCallback, useState } from "react";

/** A ref to place on the element, and its width; 0 until it is laid out. */
export function useElementWidth(): [RefCallback<HTMLElement>, number] {
  const [width, setWidth] = useState(0);
  const ref = useCallback((element: HTMLElement | null) => {
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
