"""Ctrl-C in the middle of an operation leaves it in doubt.

What may be lost: nothing that was acknowledged.
"""

from __future__ import annotations

import livnd
import numpy as np
import pytest
from livnd import errors


@pytest.mark.parametrize("done", [False, True])
def test_an_interrupted_call_is_in_doubt(client, session: livnd.Session, monkeypatch, done):
    session.reset()
    actions = np.zeros((2, *session.spec.actions[0].shape))
    call = client.call

    def interrupted(method, *args, **more):
        if done:
            call(method, *args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client, "call", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.step(actions)
    with pytest.raises(errors.UnknownOutcomeError):
        session.step(actions + 0.5)
    session.step(actions)
    assert session.observe().next_op_index == 3
