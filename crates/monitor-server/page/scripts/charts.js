// Small charts of bars. What they show is said in words beside them, or in their label.

import { attribute } from "./rows.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Draws one bar for each value, the oldest left, the newest at the right end of `places` places.
 *
 * A value is {size, kind, standsOut}. What stands out has a column behind it as high as the chart: a shape, not only
 * a colour. A size of null is a gap.
 */
export function bars(svg, values, { label = null, places = values.length, height = 24 } = {}) {
  const top = Math.max(...values.map((value) => value.size ?? 0), 1e-9);
  attribute(svg, "viewBox", `0 0 ${Math.max(places, 1) * 4} ${height}`);
  attribute(svg, "preserveAspectRatio", "none");
  attribute(svg, "aria-label", label);
  const shapes = values.flatMap(({ size, kind, standsOut }, nth) => {
    const x = (places - values.length + nth) * 4;
    // What is nearly nothing still has a foot to stand on; what is nothing has a thinner one.
    const tall = size === null ? 0 : Math.max(size > 0 ? 1 : 0.4, (size / top) * (height - 2));
    const bar = { class: `bar ${kind}`, x, y: height - tall, width: 3, height: tall };
    return standsOut ? [{ class: `column ${kind}`, x, y: 0, width: 3, height }, bar] : [bar];
  });
  while (svg.childElementCount > shapes.length) svg.lastElementChild.remove();
  shapes.forEach((shape, nth) => {
    const rect = svg.children[nth] ?? svg.appendChild(document.createElementNS(SVG, "rect"));
    for (const [name, value] of Object.entries(shape)) attribute(rect, name, value);
  });
}
