import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from postgres import running_server
from rhythm.crew import crew_for
from rhythm.script import *

from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate

m=write(1,int(sys.argv[1]),timedelta(minutes=30),Extent(date(2026,4,4),date(2026,4,4),("Europe/Berlin","Australia/Sydney"),(8,20),is_calm=True))
with tempfile.TemporaryDirectory() as f, running_server() as server:
    url=server.url(server.create_database())
    e=open_engine(url); migrate(e); e.dispose()
    with crew_for(m,url,Path(f),workers=2) as crew:
        t=time.time()
        print(len(crew._all_waves()), crew._all_waves())
        crew.act_out(); print(time.time()-t, crew.waves, crew.kills)
        a=crew.judge(); print(a); print("unknown",a.unknown)
