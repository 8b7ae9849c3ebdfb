import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";

const css = readFileSync(new URL("../../src/styles/tokens.css", import.meta.url), "utf8");

/** Every colour of the file by its theme; both stand in one statement. */
const COLOURS = [...css.matchAll(/(--[\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)];
const light = new Map(COLOURS.map(([, name = "", colour = ""]) => [name, colour]));
const dark = new Map(COLOURS.map(([, name = "", , colour = ""]) => [name, colour]));

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(theme: ReadonlyMap<string, string>, one: string, other: string): number {
  const [high, low] = [luminance(theme.get(one) ?? ""), luminance(theme.get(other) ?? "")].sort(
    (a, b) => b - a,
  );
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

const TONES = ["quiet", "waiting", "active", "good", "warn", "bad"];
const GROUNDS = ["--ground", "--surface", "--raised"];
const TEXT = [
  ...["--ink", "--ink-dim", "--link"].flatMap((ink) => GROUNDS.map((ground) => [ink, ground] as const)),
  ...TONES.flatMap((tone) => [
    [`--${tone}`, "--surface"] as const,
    [`--${tone}`, "--ground"] as const,
    [`--${tone}`, "--raised"] as const,
    [`--${tone}`, `--${tone}-ground`] as const,
    ["--ink", `--${tone}-ground`] as const,
    ["--ink-dim", `--${tone}-ground`] as const,
  ]),
  ["--surface", "--link"] as const,
  ["--rail-ink", "--rail-ground"] as const,
  ["--rail-ink", "--rail-chosen"] as const,
];
const MARKS = [
  ...GROUNDS.map((ground) => ["--focus", ground] as const),
  ...GROUNDS.map((ground) => ["--line-strong", ground] as const),
  ...[0, 1, 2, 3, 4, 5].map((hue) => [`--hue-${hue}`, "--surface"] as const),
];

describe.each([
  ["light", light],
  ["dark", dark],
] as const)("in the %s theme", (_, theme) => {
  test.each(TEXT)("text in %s on %s has a contrast of 4.5 or more", (ink, ground) => {
    expect(contrast(theme, ink, ground)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(MARKS)("marks in %s on %s have a contrast of 3 or more", (ink, ground) => {
    expect(contrast(theme, ink, ground)).toBeGreaterThanOrEqual(3);
  });
});

test("every colour is stated once, for both themes", () => {
  const stated = [...css.matchAll(/(--[\w-]+):[^;]*#/g)].map(([, name]) => name);
  expect(stated).toEqual([...new Set(stated)]);
  expect([...light.keys()]).toEqual(stated);
  expect([...dark.keys()]).toEqual([...light.keys()]);
});
