-- Up Migration

-- How many pairs of a queue and a task a project has is counted when it brings a new one.
create index queue_task_project on queue_task (project);

-- Down Migration

drop index queue_task_project;
