// CommonJS, because the preload of every process counts with it before anything is TypeScript.

/** Full at first; `perMs` of what was taken comes back in each millisecond. */
class TokenBucket {
  #most;
  #perMs;
  #tokens;
  #filledMs;

  /** @param {{ most: number, perMs: number, nowMs: number }} how */
  constructor({ most, perMs, nowMs }) {
    this.#most = most;
    this.#perMs = perMs;
    this.#tokens = most;
    this.#filledMs = nowMs;
  }

  tokensAt(nowMs) {
    this.#tokens = Math.min(this.#most, this.#tokens + (nowMs - this.#filledMs) * this.#perMs);
    this.#filledMs = nowMs;
    return this.#tokens;
  }

  take(nowMs) {
    if (this.tokensAt(nowMs) < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

module.exports = { TokenBucket };
