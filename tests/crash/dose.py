"""Which of these proofs run when: those that kill, starve or fill up a whole house take minutes; the proof has them."""

from __future__ import annotations

import os

import pytest

IS_PROOF = os.environ.get("FINALMARKET_PROOF_CRASH") == "1"
in_the_proof = pytest.mark.skipif(not IS_PROOF, reason="a part of the proof: FINALMARKET_PROOF_CRASH=1")
