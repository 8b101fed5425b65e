"""BentoML with one worker and without its access log: bentoml serve peer_bentoml:Tabular."""

import bentoml
from peer_model import Request, Response, answer, open_session


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Tabular:
    def __init__(self) -> None:
        self.session = open_session()

    @bentoml.api(route="/predict", input_spec=Request)
    async def predict(self, **request) -> Response:
        return answer(self.session, request["features"])
