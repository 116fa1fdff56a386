/**
 * Requests as somebody writes them by hand on the bare client: one inbox, a number for each, a Map of who waits. Nothing
 * ends a request that is never answered, nobody hears that nobody listens.
 *
 * @import { NatsConnection } from 'nats'
 */
import { createInbox } from 'nats';

/**
 * @param {NatsConnection} client
 * @returns {(subject: string, data: Uint8Array) => Promise<Uint8Array>}
 */
export function rawRequests(client) {
  const inbox = createInbox();
  /** @type {Map<string, (data: Uint8Array) => void>} */
  const waiting = new Map();
  let issued = 0;
  client.subscribe(`${inbox}.*`, {
    callback: (_error, message) => {
      const id = message.subject.slice(inbox.length + 1);
      waiting.get(id)?.(message.data);
      waiting.delete(id);
    },
  });
  return (subject, data) =>
    new Promise((resolve) => {
      const id = String(++issued);
      waiting.set(id, resolve);
      client.publish(subject, data, { reply: `${inbox}.${id}` });
    });
}
