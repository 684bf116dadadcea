import type { Server } from 'node:http';
import { type Certificate, type CertificateFiles, followCertificate, readCertificate } from './http/certificate.ts';
import { checkExposure } from './http/exposure.ts';
import { createGuard, type Guard } from './limits/guard.ts';
import { guardConnections } from './limits/guard-connections.ts';
import { type NetworkLimits, networkLimits } from './limits/network-limits.ts';
import { createPeers, type PeersOptions } from './limits/peers.ts';
import type { Log } from './log.ts';

/** The network side of a coordinator; without any of it, plaintext on this machine with the default limits. */
export interface NetworkOptions extends PeersOptions {
  /** Files of the certificate and key for https and wss; looked at every minute, so that a renewed one is taken up. */
  readonly tls?: CertificateFiles | undefined;
  /** Whether plaintext may leave this machine, as behind a proxy that adds TLS; default false. */
  readonly allowPlaintext?: boolean;
  /** Limits other than the defaults. */
  readonly limits?: Partial<NetworkLimits>;
}

/** What both planes are served with. */
export interface Network {
  /** Holds every party to its share. */
  readonly guard: Guard;
  /** The certificate, as it is at the start; undefined for plaintext. */
  readonly certificate: Certificate | undefined;
  /** Holds a server to its connections and keeps its certificate up to date; returns the way to stop that. */
  protect(server: Server, log: Log): () => void;
}

/**
 * Checks and reads what the network side needs, before anything listens.
 *
 * @param host - address to listen on
 * @param now - milliseconds since 1970
 * @throws ExposureError, CertificateError, NetworkLimitsError, PeersError
 */
export async function openNetwork(options: NetworkOptions, host: string, now: () => number): Promise<Network> {
  const { tls, allowPlaintext = false } = options;
  checkExposure({ host, isEncrypted: tls !== undefined, allowPlaintext });
  const limits = networkLimits(options.limits);
  const peers = createPeers(options);
  return {
    guard: createGuard(limits, peers, () => performance.now()),
    certificate: tls && (await readCertificate(tls, now())),
    protect: (server, log) => {
      const endHandshakes = guardConnections(server, peers, limits);
      if (!tls) return endHandshakes;
      const followed = followCertificate({ files: tls, server: server as Server & SecureServer, log, now });
      return () => {
        followed.close();
        endHandshakes();
      };
    },
  };
}

/** What an HTTP server is besides, when it was made with a certificate. */
type SecureServer = Parameters<typeof followCertificate>[0]['server'];
