import { connect, type JetStreamManager, type NatsConnection } from "nats";
import type { Json } from "./json.ts";
import type { Platform } from "./platform.ts";

const STREAM = "ORRERY_ALERTS";

/** What the stream of alerts holds, read as the operator. */
export class AlertEvents implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #streams: JetStreamManager;
  readonly #envelopes: Json[] = [];

  private constructor(connection: NatsConnection, streams: JetStreamManager) {
    this.#connection = connection;
    this.#streams = streams;
  }

  static async of({ run }: Platform): Promise<AlertEvents> {
    const operator = run.identities.operator;
    if (operator === undefined) throw new Error("no operator in run.json");
    const connection = await connect({ servers: run.nats.url, tls: { ...operator, caFile: run.caFile } });
    return new AlertEvents(connection, await connection.jetstreamManager());
  }

  /** How many events there are. */
  async count(): Promise<number> {
    return (await this.#streams.streams.info(STREAM)).state.messages;
  }

  /** The envelopes of the alerts of one rule, in the order of the stream. */
  async ofRule(name: string): Promise<readonly Json[]> {
    const { state } = await this.#streams.streams.info(STREAM);
    // Each is read once, however often somebody looks.
    for (let seq = this.#envelopes.length + 1; seq <= state.last_seq; seq += 1) {
      this.#envelopes.push((await this.#streams.streams.getMessage(STREAM, { seq })).json());
    }
    return this.#envelopes.filter(({ payload }) => payload.alert.name === name);
  }

  /** What happened to the alerts of one rule, without the word Alert. */
  async sequence(name: string): Promise<readonly string[]> {
    return (await this.ofRule(name)).map(({ eventType }) =>
      eventType.slice(eventType.lastIndexOf(".Alert") + 6),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}
