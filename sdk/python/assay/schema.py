"""Every message and value of docs/protocol.md section 9, key by key, in the words of `wire`. A test holds both
together.

A line is a name, the message's number if it is one, and its keys in order as `key:type`: `key:type=initial` is optional
with that initial value (nothing after `=`: empty), `key:type?` is optional and may be absent, anything else is
required. `[type]` is a list, `*name` another value of this table."""

SCHEMA = """
CLIENT_HELLO 1 | version_min:u8 version_max:u8 name:text=
WORKER_HELLO 2 | version_min:u8 version_max:u8 name:name queues:[name] slots:u32 holding:[*held_attempt]= labels:map=
WELCOME 3 | version:u8 broker:text= heartbeat_every:duration lease:duration drop:[*held_attempt]=
ERROR 4 | request:u64=0 code:code reason:text message:text= retry_after:duration=0
HEARTBEAT 5 | slots:u32=0 holding:[*held_attempt]=
GOODBYE 6 |
held_attempt | id:id attempt:u32
SUBMIT 16 | request:u64 tasks:[*task]
task | id:id queue:name owner:name priority:u8=5 max_attempts:u32=1 labels:map= body:bytes= after:[id]=
    on_failure:on_failure=cancel not_before:time=0 deadline:time=0 timeout:duration=0 backoff_first:duration=1000
    backoff_max:duration=60000 cost:u32=1 require:map= cache_key:text= cache_ttl:duration=0 traceparent:text=
    artifacts:[text]=
SUBMITTED 17 | request:u64 accepted:u32 duplicates:[id]=
AWAIT 18 | request:u64 ids:[id] follow:bool=true
RESULTS 19 | request:u64 results:[*result]= pending:[id]= unknown:[id]=
result | id:id state:state cause:cause=none reason:text= attempt:u32=0 ended_at:time result:bytes= usage:*usage=
    cached_from:id= artifacts:[text]=
CANCEL 20 | request:u64 ids:[id] reason:text= with_dependents:bool=false
CANCELLED 21 | request:u64 cancelled:[id]= requested:[id]= ended:[id]= unknown:[id]=
STATUS 22 | request:u64 id_prefix:text
TASK_STATUS 23 | request:u64 task:*task_info
task_info | id:id queue:name owner:name priority:u8=5 labels:map= state:state cause:cause=none reason:text=
    submitted_at:time ended_at:time? cancel_requested:bool=false position:u64=0 after:[id]= attempts:[*attempt_info]=
    cached_from:id= usage:*usage= artifacts:[text]= pinned:bool=false
attempt_info | attempt:u32 worker:name started_at:time ended_at:time? ended_because:text= cause:cause=none
    usage:*usage=
QUEUES 24 | request:u64
QUEUE_LIST 25 | request:u64 queues:[*queue_info]=
queue_info | name:name queued:u64 running:u64 waiting:u64 oldest_seconds:number=0 workers:u32=0 capacity:u64=0
    paused:bool=false
WORKERS 26 | request:u64
WORKER_LIST 27 | request:u64 workers:[*worker_info]=
worker_info | name:name queues:[name] slots:u32 running:u32 silent_seconds:number=0 joined_at:time labels:map=
    draining:bool=false
EVENTS 28 | request:u64 after:u64=0 tasks:[id]= limit:u32=1000 queue:name= kinds:[kind]= since:time=0
EVENT_LIST 29 | request:u64 oldest:u64 newest:u64 complete:bool=true events:[*event]=
LIST 30 | request:u64 states:[state]= queue:name= owner:name= since:time=0 limit:u32=100 labels:map= until:time=0
    after:id=
TASK_LIST 31 | request:u64 complete:bool=true tasks:[*task_info]=
OPERATE 32 | request:u64 operation:operation target:text= ids:[id]=
OPERATED 33 | request:u64 affected:u64
EXPLAIN 34 | request:u64 id_prefix:text
EXPLAINED 35 | request:u64 task:*explanation
explanation | id:id queue:name owner:name state:state position:u64=0 queued:u64=0 share_deserved:number=0
    share_used:number=0 quota_here:u32=0 running_here:u32=0 quota:u32=0 running:u32=0 free_credit:u64=0 workers:u32=0
    able_workers:u32=0 missing_labels:map= waits_for:[*dependency]= not_before:time? grace_until:time?
    paused:bool=false quarantined:text= shares_run_of:id= worker:name= worker_says:text= estimated:bool=false
    estimate_low_seconds:number=0 estimate_high_seconds:number=0 because:[text]=
dependency | id:id state:state
USAGE 36 | request:u64 by:usage_by=owner since:time=0 until:time=0
USAGE_LIST 37 | request:u64 rows:[*usage_row]=
usage_row | key:text tasks:u64 succeeded:u64 failed:u64 usage:*usage=
usage | cpu_seconds:number=0 memory_byte_seconds:number=0 gpu_seconds:number=0 wall_seconds:number=0
SCHEDULES 38 | request:u64
SCHEDULE_LIST 39 | request:u64 schedules:[*schedule]=
schedule | name:text cron:text queue:name next_at:time? last_at:time? last_task:id=
QUARANTINES 40 | request:u64
QUARANTINE_LIST 41 | request:u64 quarantines:[*quarantine]=
quarantine | key:text since:time losses:u32 reason:text= held:u64=0
REFERENCES 42 | request:u64 hashes:[text]
REFERENCED 43 | request:u64 hashes:[text]=
SNAPSHOT 44 | request:u64 queue:name= tasks:[id]= topic_prefix:text= after:id= limit:u32=1000
SNAPSHOT_ANSWER 45 | request:u64 sequence:u64 complete:bool=true events:[*event]=
TASKS 48 | tasks:[*assignment]
assignment | id:id attempt:u32 queue:name owner:name priority:u8=5 body:bytes= timeout:duration=0 inputs:[*input]=
    resume:bool=false labels:map= traceparent:text= max_attempts:u32=1
input | id:id state:state result:bytes=
REPORT 49 | reports:[*report]
report | id:id attempt:u32 outcome:outcome cause:cause=none reason:text= delay:duration=0 result:bytes= usage:*usage=
    artifacts:[text]=
RECORDED 50 | recorded:[*held_attempt]= stale:[*held_attempt]=
PROGRESS 51 | reports:[*progress_report]
progress_report | id:id attempt:u32 kind:kind=progress done:u64=0 total:u64=0 text:text=
STOP 52 | cancel:[*held_attempt]= drop:[*held_attempt]= hand_over:[*held_attempt]=
event | sequence:u64 previous:u64=0 at:time kind:kind queue:name= task:id= attempt:u32=0 state:state=queued
    worker:name= done:u64=0 total:u64=0 text:text= previous_in_queue:u64=0
"""
