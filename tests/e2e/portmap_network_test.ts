import assert from "node:assert/strict";
import { denoNetwork } from "../../lib/portmap/deno_network.ts";
import { MAX_XML_LENGTH } from "../../lib/portmap/xml.ts";
import { within } from "../support/within.ts";

/** Asks a server on this machine that answers with `respond`. */
async function ask(
  respond: (request: Request) => Response | Promise<Response>,
  signal: AbortSignal = new AbortController().signal,
): Promise<string | undefined> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, respond);
  const url = new URL(`http://127.0.0.1:${server.addr.port}/control`);
  const headers = { "content-type": "text/xml" };
  const request = { url, method: "POST", headers, body: "<a/>", signal } as const;
  return await within("an answer", denoNetwork.request(request));
}

Deno.test("denoNetwork.request gives the body of an answer and of a fault", async () => {
  assert.equal(await ask(async (request) => new Response(await request.text())), "<a/>");
  assert.equal(await ask(() => new Response("<fault/>", { status: 500 })), "<fault/>");
});

Deno.test("denoNetwork.request takes no other status, and follows nobody", async () => {
  assert.equal(await ask(() => new Response("no", { status: 404 })), undefined);
  let count = 0;
  const redirect = (request: Request): Response => {
    count++;
    return Response.redirect(new URL("/elsewhere", request.url), 307);
  };
  assert.equal(await ask(redirect), undefined);
  assert.equal(count, 1);
});

Deno.test("denoNetwork.request takes a body up to its limit, and ends one that goes on", async () => {
  assert.equal((await ask(() => new Response("x".repeat(MAX_XML_LENGTH))))?.length, MAX_XML_LENGTH);
  let isEnded = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(4096)),
    cancel: () => {
      isEnded = true;
    },
  });
  assert.equal(await ask(() => new Response(endless)), undefined);
  assert.equal(isEnded, true);
});

Deno.test("denoNetwork.request ends with its signal", async () => {
  const controller = new AbortController();
  const answer = await ask(() => {
    controller.abort();
    return new Response(new ReadableStream());
  }, controller.signal);
  assert.equal(answer, undefined);
});

Deno.test("denoNetwork.request is silent where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const url = new URL(`http://127.0.0.1:${port}/`);
  const { signal } = new AbortController();
  assert.equal(await denoNetwork.request({ url, method: "GET", headers: {}, signal }), undefined);
});
