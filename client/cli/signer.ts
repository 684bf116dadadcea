import { createWallet, loadWallet, type Signer } from '../../contracts/wallet.ts';

/**
 * Opens the participant's wallet: from the file that is named, else from `FEDANCHOR_KEY`, else from the file that
 * `FEDANCHOR_KEY_FILE` names.
 *
 * @throws WalletError, KeyPasswordError
 */
export async function loadSigner(keyFile: string | undefined): Promise<Signer> {
  const key = process.env['FEDANCHOR_KEY'];
  if (keyFile === undefined && key !== undefined && key !== '') return createWallet(key);
  return loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
}
