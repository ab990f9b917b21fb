"""The embedded AWS: ministack 1.5.33 plus what drowse needs that it lacks.

Start it with::

    PYTHONPATH=local/aws python -m drowse_aws --port 4566

from a virtual environment that holds ``local/requirements.txt``. When it answers it prints one JSON line on
stdout, ``{"ready":true,"port":4566,"pid":123}``, and from then on everything else goes to stderr. It binds
127.0.0.1 only. ``settings.py`` documents every environment variable; ``README.md`` maps the files and lists what
each patch works around.
"""

MINISTACK_VERSION = "1.5.33"
