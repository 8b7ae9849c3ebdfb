import { type DescFile, getOption, hasOption } from "@bufbuild/protobuf";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import { event as eventRules } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { SchemaCatalogue } from "./json-schema.ts";

/** Makes the AsyncAPI 3 document of the events from the messages that the protos mark as events. */
export function asyncApiDocument(files: readonly DescFile[], publicUrl: string): object {
  const schemas = new SchemaCatalogue();
  const events = files.flatMap((file) =>
    file.messages
      .filter((message) => hasOption(message, eventRules))
      .map((message) => ({
        message,
        context: file.proto.package.split(".").at(-2) ?? "",
        version: getOption(message, eventRules).version,
      })),
  );
  const envelope = schemas.message(EventEnvelopeSchema);
  const channels = events.map(({ message, context }) => [
    message.name,
    {
      address: `orrery.events.v1.${context}.${message.name}.{shard}`,
      parameters: { shard: { description: "0 to 15, by the id of the aggregate." } },
      messages: { [message.name]: { $ref: `#/components/messages/${message.name}` } },
    },
  ]);
  const operations = events.map(({ message }) => [
    `send${message.name}`,
    { action: "send", channel: { $ref: `#/channels/${message.name}` } },
  ]);
  const messages = events.map(({ message, context, version }) => [
    message.name,
    {
      name: `orrery.events.v1.${context}.${message.name}`,
      contentType: "application/json",
      "x-version": version,
      payload: {
        allOf: [envelope, { type: "object", properties: { payload: schemas.message(message) } }],
      },
    },
  ]);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Orrery events",
      version: "1.0.0",
      description: `One event for each transition. From outside they are read at ${publicUrl}/v1/events.`,
    },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: { messages: Object.fromEntries(messages), schemas: schemas.components },
  };
}
