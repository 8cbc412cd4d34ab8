"""``hotline doctor``: each check ok, or FAIL with the fix."""

import argparse
import json
from dataclasses import asdict

from server.doctor import examine
from server.settings_loader import load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("doctor", help="check everything; say what to do")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    findings = []
    for finding in examine(load_settings()):
        findings.append(finding)
        if args.json:
            continue
        if finding.is_ok:
            print(f"ok   {finding.name:<17} {finding.detail}", flush=True)
        else:
            print(f"FAIL {finding.name:<17} {finding.detail}\nfix: {finding.fix}", flush=True)
    if args.json:
        report = [asdict(finding) | {"ok": finding.is_ok} for finding in findings]
        print(json.dumps(report, ensure_ascii=False))
    return 0 if all(finding.is_ok for finding in findings) else 1
