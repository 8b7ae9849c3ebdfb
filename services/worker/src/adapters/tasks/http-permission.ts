import { BlockList, isIP } from "node:net";

/** Where `orrery.http` may go beyond the public network. */
export interface HttpPermission {
  /**
   * Whether a request to `host` at `port` may be sent to `address`, one of those that the host's name stands
   * for.
   *
   * Public addresses are open at 80 and 443; every other needs an entry of the list.
   */
  readonly permits: (host: string, port: number, address: string) => boolean;
}

/**
 * What is not the public network: RFC 6890 and its registries, and whatever embeds or translates an IPv4
 * address.
 */
const NOT_PUBLIC = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"],
  ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ...["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
];
/** The one block of IPv6 that is public at all (RFC 4291, section 2.4 and the registry of 2000::/3). */
const PUBLIC_IPV6 = "2000::/3";
const OPEN_PORTS = [80, 443];

/**
 * Reads `ORRERY_HTTP_ALLOW`.
 *
 * @param entries - each `host:port`, `[ipv6]:port`, or a block such as `10.1.0.0/16` (every port)
 * @throws Error that names the entry which is none of these
 */
export function httpPermission(entries: readonly string[]): HttpPermission {
  const blocks = new BlockList();
  const places = new Set<string>();
  for (const entry of entries) {
    if (entry.includes("/")) addBlock(blocks, entry);
    else places.add(placeFrom(entry));
  }
  const notPublic = new BlockList();
  for (const block of NOT_PUBLIC) addBlock(notPublic, block);
  const publicIpv6 = new BlockList();
  addBlock(publicIpv6, PUBLIC_IPV6);
  const isPublic = (address: string): boolean =>
    !holds(notPublic, address) && (isIP(address) === 4 || isMapped(address) || holds(publicIpv6, address));
  return {
    permits: (host, port, address) =>
      places.has(`${bareHost(host)}:${port}`) ||
      holds(blocks, address) ||
      (isPublic(address) && OPEN_PORTS.includes(port)),
  };
}

const holds = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

const isMapped = (address: string): boolean => /^::ffff:/i.test(address);

/** A host as a person would write it: lower case, no brackets, no root dot. */
const bareHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");

function addBlock(list: BlockList, block: string): void {
  const [address = "", prefix = ""] = block.split("/");
  const family = isIP(address);
  const bits = Number(prefix);
  const most = family === 6 ? 128 : 32;
  if (family === 0 || !/^\d{1,3}$/.test(prefix) || bits > most)
    throw new Error(`${block} is no block of addresses`);
  list.addSubnet(address, bits, family === 6 ? "ipv6" : "ipv4");
}

function placeFrom(entry: string): string {
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(entry) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`${entry} is neither host:port nor a block of addresses such as 10.1.0.0/16`);
  }
  return `${bareHost(host)}:${Number(port)}`;
}
