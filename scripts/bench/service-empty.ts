// A Bun server that reads nothing and answers a constant, the limit of the runtime: bun service-empty.ts; prints its port.
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("{}") });
console.log(server.port);
