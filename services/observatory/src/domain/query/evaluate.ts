import type { SearchKeys } from "../search-keys.ts";
import type { Filter } from "./filter.ts";

/**
 * Whether a job, or an event, fits a filter. The plainest reading of the tree: live streams use it, and the
 * compiled forms are held against it.
 */
export function fits(filter: Filter, keys: SearchKeys): boolean {
  switch (filter.is) {
    case "everything":
      return true;
    case "all":
      return filter.of.every((part) => fits(part, keys));
    case "any":
      return filter.of.some((part) => fits(part, keys));
    case "not":
      return !fits(filter.of, keys);
    case "one of": {
      const value = keys.keywords[filter.field];
      return value !== undefined && filter.values.includes(value);
    }
    case "begins":
      return keys.keywords[filter.field]?.startsWith(filter.prefix) ?? false;
    case "within": {
      const value = keys.numbers[filter.field];
      if (value === undefined) return false;
      return value >= (filter.from ?? -Infinity) && value < (filter.below ?? Infinity);
    }
    case "label":
      return labelOf(keys, filter.key) === filter.value;
    case "label begins":
      return labelOf(keys, filter.key)?.startsWith(filter.prefix) ?? false;
    case "word":
      return keys.words.includes(filter.token);
    case "word begins":
      return keys.words.some((token) => token.startsWith(filter.prefix));
  }
}

function labelOf(keys: SearchKeys, key: string): string | undefined {
  return Object.hasOwn(keys.labels, key) ? keys.labels[key] : undefined;
}
