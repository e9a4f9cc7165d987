"""The settings of the web process that `finalmarket bench api` measures: those of any other, and two addresses beside
its own that do nothing. No other process has them."""

from finalmarket.config.settings import *  # noqa: F403
from finalmarket.config.settings import MIDDLEWARE as USUAL

ROOT_URLCONF = "finalmarket.config.bench_urls"
MIDDLEWARE = ["finalmarket.config.bench_urls.NothingFirst", *USUAL]
