import { request } from 'node:http';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';

/** One look at a web server, as somebody outside would have. */
export interface HttpsRequest {
  /** Where to connect: the name is not looked up. */
  address: string;
  port: number;
  /** What is asked for there, in the handshake (SNI) and in the request. */
  host: string;
  path: string;
  /** For everything together (ms). */
  timeoutMs: number;
}

export interface HttpsAnswer {
  status: number;
  /** Where a redirection leads. */
  location: string | undefined;
  certificate: {
    /** UTC ISO time. */
    validTo: string;
    /** Why it is not this host's; undefined if it is. */
    hostProblem: string | undefined;
    /** Why nobody here trusts who signed it; undefined if they are trusted, or if it is another's. */
    chainProblem: string | undefined;
  };
}

/** What asks; the twin has its own. */
export interface Web {
  get: (request: HttpsRequest) => Promise<HttpsAnswer>;
}

/**
 * A GET over a TLS connection of its own. The certificate is reported rather than refused: why a browser would refuse is
 * what the caller wants to tell. Nothing secret is sent, and nothing of the answer's body is read.
 * @throws Error no connection, no handshake, or no answer in time
 */
export function getHttps({ address, port, host, path, timeoutMs }: HttpsRequest): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, servername: host, rejectUnauthorized: false });
    const asked = request(
      {
        // The connection is to the address, whatever the name leads to.
        createConnection: () => socket,
        path,
        headers: { host, connection: 'close', 'user-agent': 'drowse-probe' },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, location: headers.location, certificate: describe(socket, host) });
        response.destroy();
      },
    );
    asked.once('error', (error) => {
      socket.destroy();
      reject(
        error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error }) : error,
      );
    });
    asked.end();
  });
}

function describe(socket: TLSSocket, host: string): HttpsAnswer['certificate'] {
  const certificate = socket.getPeerCertificate();
  const hostProblem = checkServerIdentity(host, certificate)?.message;
  // Given as an error's code where it is about the chain, whatever its type says.
  const refused = socket.authorized ? undefined : String(socket.authorizationError);
  return {
    validTo: new Date(certificate.valid_to).toISOString(),
    hostProblem,
    chainProblem: refused === 'ERR_TLS_CERT_ALTNAME_INVALID' ? undefined : refused,
  };
}
