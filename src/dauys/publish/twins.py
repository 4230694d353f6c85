"""How does one model become a page and its JSON twin? Routes in pairs: `/{lang}/path` and `/{lang}/path.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.convertors import Convertor, register_url_convertor

Model = dict[str, Any]


class Render(Protocol):
    """What the shell offers: makes a page of a template and a model in the language of the request's path."""

    def __call__(self, request: Request, template: str, model: Mapping[str, Any], status: int = 200) -> Response: ...


class _Language(Convertor[str]):
    regex = "kk|ru|en"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("lang", _Language())

Build = Callable[..., Model]


class Page(Protocol):
    """Registers a function that makes a model as the page at `path` and as JSON at `path`.json.

    `extra` makes of the model what only the page needs.
    """

    def __call__(
        self, path: str, template: str, extra: Callable[[Model], Model] | None = None
    ) -> Callable[[Build], Build]: ...


def paired(routes: APIRouter, render: Render) -> Page:
    """The way to register pages with their twins on `routes`."""

    def page(path: str, template: str, extra: Callable[[Model], Model] | None = None) -> Callable[[Build], Build]:
        def register(build: Build) -> Build:
            def html(request: Request, **arguments: Any) -> Response:
                model = build(**arguments)
                return render(request, template, model | (extra(model) if extra else {}))

            def twin(**arguments: Any) -> Response:
                return JSONResponse(build(**arguments), headers={"Cache-Control": "no-cache"})

            parameters = list(signature(build, eval_str=True).parameters.values())
            request = signature(html, eval_str=True).parameters["request"]
            html.__signature__ = signature(html).replace(parameters=[request, *parameters])  # type: ignore[attr-defined]
            twin.__signature__ = signature(twin).replace(parameters=parameters)  # type: ignore[attr-defined]
            name = build.__name__
            json_path = f"/{{lang:lang}}{path}".rstrip("/") + ".json"
            routes.add_api_route(
                json_path, twin, name=f"{name}_json", summary=build.__doc__, response_class=JSONResponse
            )
            routes.add_api_route(f"/{{lang:lang}}{path}", html, name=name, include_in_schema=False)
            return build

        return register

    return page
