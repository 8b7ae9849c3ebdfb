import { exportingProvider } from "./flush.ts";

/**
 * Whether the edge would not keep a trace that began now. Never where nothing is registered that keeps count: what
 * says it is the sampler that spends the budget. Asked before a span is made, which costs ten times as much even where
 * it is dropped at once: of thousands of requests a second nearly all are.
 *
 * @param change - whether the request changes something
 */
export function wouldDrop(change: boolean): boolean {
  const provider = exportingProvider();
  return provider !== undefined && keepsCount(provider) && provider.wouldDrop(change);
}

function keepsCount(provider: object): provider is { wouldDrop(change: boolean): boolean } {
  return "wouldDrop" in provider && typeof provider.wouldDrop === "function";
}
