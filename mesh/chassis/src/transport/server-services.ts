import { type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { file_google_rpc_error_details } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { Health as HealthService } from "@orrery/contracts/gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "@orrery/contracts/gen/grpc/reflection/v1/reflection_pb.js";
import * as alpha from "@orrery/contracts/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { HealthImplementation } from "grpc-health-check";
import type { Health } from "../health/health.ts";
import { withImports } from "./descriptor-files.ts";
import { asBuffer } from "./grpc-codec.ts";

// Health and reflection come from their packages, which hand a definition and an implementation to
// `addService` of a server. They are caught here instead, so that the same gate stands before them as before
// our own RPCs.

/** What every gRPC port serves beside its own. */
export const STANDARD_SERVICES: readonly DescService[] = [
  HealthService,
  ServerReflection,
  alpha.ServerReflection,
];

/** What a package would have added to a server. */
export interface CaughtService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/**
 * The health service, following the process's readiness, for the server as a whole and for each service by
 * name.
 */
export function healthService(
  services: readonly DescService[],
  health: Pick<Health, "ready" | "onChange">,
): CaughtService & Disposable {
  const names = ["", ...services.map(({ typeName }) => typeName)];
  const status = (ready: boolean): "SERVING" | "NOT_SERVING" => (ready ? "SERVING" : "NOT_SERVING");
  const implementation = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, status(health.ready())])),
  );
  const unsubscribe = health.onChange((ready) => {
    for (const name of names) implementation.setStatus(name, status(ready));
  });
  const [caught] = catching((server) => implementation.addToServer(server));
  if (caught === undefined) throw new Error("grpc-health-check added no service");
  return { ...caught, [Symbol.dispose]: unsubscribe };
}

/**
 * Reflection in both versions, over the descriptors that our code was generated from.
 *
 * Health is described by the same: what the health package itself would give makes `grpcurl describe` fail
 * with "invalid map entry".
 */
export function reflectionServices(services: readonly DescService[]): readonly CaughtService[] {
  const served = [...services, ...STANDARD_SERVICES];
  // The details of a status are no part of any service's descriptors, and tools that print them ask for them
  // here.
  const files = withImports([...served.map(({ file }) => file), file_google_rpc_error_details]);
  const fileDescriptorProtos = files.map((file) => asBuffer(toBinary(FileDescriptorProtoSchema, file.proto)));
  const described = Object.fromEntries(served.map(({ typeName }) => [typeName, { fileDescriptorProtos }]));
  const reflection = new ReflectionService(
    described as unknown as ConstructorParameters<typeof ReflectionService>[0],
    { services: served.map(({ typeName }) => typeName) },
  );
  return catching((server) => reflection.addToServer(server));
}

function catching(add: (server: Server) => void): readonly CaughtService[] {
  const caught: CaughtService[] = [];
  const catcher: Pick<Server, "addService"> = {
    addService: (definition, implementation) => void caught.push({ definition, implementation }),
  };
  add(catcher as Server);
  return caught;
}
