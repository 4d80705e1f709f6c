"""Nothing of ours is patched anywhere below; time is an argument."""

import logging

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # a run's thousands of calls are no news
