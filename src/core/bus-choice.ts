/** What a bus may be named by, in words. */
export const busChoiceText =
  'embedded, nats (a server on this host), or nats://host:4222 or tls://';

const addressForm = /^(?:nats|tls):\/\/[^\s,/]+\/?$/;

/** Whether a text names a bus: `embedded`, `nats`, or addresses of NATS servers, several with commas. */
export function isBusChoice(text: string): boolean {
  return text === 'embedded' || text === 'nats' || isBusAddress(text);
}

/** Whether a text is a list of addresses of NATS servers. */
export function isBusAddress(text: string): boolean {
  return text.split(',').every((part) => addressForm.test(part.trim()));
}

/** Whether addresses hold a user, a password or a token. */
export function hasCredentials(text: string): boolean {
  return isBusAddress(text) && text.includes('@');
}

/** An address as it may be shown. A password may hold an @ that should have been encoded. */
export function withoutLogin(url: string): string {
  return url.replace(/\/\/[^/,]*@/g, '//');
}
