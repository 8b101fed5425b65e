"""The reference implementation as a peer: peer.py sign|verify key|certificate|keyless MODEL SIGNATURE FILE... [--shard BYTES]"""

import argparse
from pathlib import Path

from model_signing import hashing, signing, verifying

parser = argparse.ArgumentParser()
parser.add_argument("action", choices=["sign", "verify"])
parser.add_argument("method", choices=["key", "certificate", "keyless"])
parser.add_argument("model", type=Path)
parser.add_argument("signature", type=Path)
parser.add_argument("files", type=Path, nargs="+", help="key | key, certificate, chain... | root certificates | trust config")
parser.add_argument("--shard", type=int)
parser.add_argument("--ignore", type=Path, nargs="*", default=[])
parser.add_argument("--identity")
parser.add_argument("--issuer")
args = parser.parse_args()
first, *rest = args.files


def hashed() -> hashing.Config:
    config = hashing.Config()
    if args.shard is not None:
        config.use_shard_serialization(shard_size=args.shard)
    else:
        config.use_file_serialization()
    ignored = [args.signature, *(args.model / path for path in args.ignore)]
    return config.set_ignored_paths(paths=ignored, ignore_git_paths=True)


if args.action == "sign":
    config = signing.Config()
    if args.method == "key":
        config.use_elliptic_key_signer(private_key=first)
    else:
        config.use_certificate_signer(private_key=first, signing_certificate=rest[0], certificate_chain=rest[1:])
    config.set_hashing_config(hashed()).sign(args.model, args.signature)
else:
    config = verifying.Config()
    if args.method == "key":
        config.use_elliptic_key_verifier(public_key=first)
    elif args.method == "keyless":
        config.use_sigstore_verifier(identity=args.identity, oidc_issuer=args.issuer, trust_config=first)
    else:
        config.use_certificate_verifier(certificate_chain=args.files)
    config.verify(args.model, args.signature)
