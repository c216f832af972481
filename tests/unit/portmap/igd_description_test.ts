import assert from "node:assert/strict";
import fc from "fast-check";
import { parseIgdDescription } from "../../../lib/portmap/igd_description.ts";

const LOCATION = new URL("http://192.168.1.1:5000/desc/root.xml");

function service(type: string, controlUrl: string): string {
  return `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType>` +
    `<controlURL>${controlUrl}</controlURL></service>`;
}

function parse(services: string, base = ""): string[] {
  const text = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">${base}<device>
    <serviceList>${service("Layer3Forwarding:1", "/l3f")}</serviceList><deviceList><device>
    <deviceList><device><serviceList>${services}</serviceList></device></deviceList></device>
    </deviceList></device></root>`;
  return parseIgdDescription(text, LOCATION).map(({ type, controlUrl }) =>
    `${type.split(":")[3]}:${type.split(":")[4]} ${controlUrl}`
  );
}

Deno.test("parseIgdDescription finds the services that map ports, best first", () => {
  const services = service("WANPPPConnection:1", "/ppp") + service("WANIPConnection:1", "/ip1") +
    service("WANIPConnection:2", "ip2") + service("WANIPv6FirewallControl:1", "/6fc");
  assert.deepEqual(parse(services), [
    "WANIPConnection:2 http://192.168.1.1:5000/desc/ip2",
    "WANIPConnection:1 http://192.168.1.1:5000/ip1",
    "WANPPPConnection:1 http://192.168.1.1:5000/ppp",
  ]);
});

Deno.test("parseIgdDescription goes by URLBase, unless it leads elsewhere", () => {
  const services = service("WANIPConnection:1", "ctl");
  assert.deepEqual(parse(services, "<URLBase>http://192.168.1.1:49152/up/</URLBase>"), [
    "WANIPConnection:1 http://192.168.1.1:49152/up/ctl",
  ]);
  assert.deepEqual(parse(services, "<URLBase>http://203.0.113.1/</URLBase>"), [
    "WANIPConnection:1 http://192.168.1.1:5000/desc/ctl",
  ]);
});

Deno.test("parseIgdDescription refuses controls on another host", () => {
  for (
    const url of [
      "http://203.0.113.1/ctl",
      "//192.168.1.2/ctl",
      "https://192.168.1.1/",
      "file:///x",
    ]
  ) {
    assert.deepEqual(parse(service("WANIPConnection:1", url)), [], url);
  }
});

Deno.test("parseIgdDescription takes no more than four services", () => {
  assert.equal(parse(service("WANIPConnection:1", "/x").repeat(50)).length, 4);
});

Deno.test("parseIgdDescription finds nothing in what is no description", () => {
  const deep = "<device><deviceList>".repeat(60);
  for (const text of ["", "hello", "<root/>", "<root><device>x</device></root>", `<root>${deep}`]) {
    assert.deepEqual(parseIgdDescription(text, LOCATION), []);
  }
});

Deno.test("parseIgdDescription never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parseIgdDescription(text, LOCATION);
    parse(service("WANIPConnection:1", text));
  }));
});
